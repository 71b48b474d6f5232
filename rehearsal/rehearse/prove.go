package rehearse

import (
	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Prove decides on a state in the format of `pulumi stack export` as a rehearsal does after its first up. It starts no
// engine. Of the options it uses the stack file, the secrets and Prove.
func Prove(exported []byte, o Options) (*proof.Report, error) {
	file, err := stackfile.Load(o.StackFile, o.Secrets, o.standIn)
	if err != nil {
		return nil, err
	}
	read, err := state.Read(exported)
	if err != nil {
		return nil, err
	}
	r := &run{Session: &Session{o: o, configuration: file.All()}}
	if err := r.judge(&results{exported: exported, state: read}); err != nil {
		return nil, err
	}
	return r.report, nil
}
