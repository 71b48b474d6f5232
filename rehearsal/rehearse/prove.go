package rehearse

import (
	"github.com/wso2is-aws/wso2is/config/stackfile"
	"github.com/wso2is-aws/wso2is/rehearsal/proof"
	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// Prove decides on a state in the format of `pulumi stack export` as a rehearsal does after its first up. It starts no
// engine. Of the options it uses the stack file, the secrets and Prove.
func Prove(exported []byte, o Options) (*proof.Report, error) {
	config, err := stackfile.Read(o.StackFile)
	if err != nil {
		return nil, err
	}
	plain, _, _, err := stackfile.Divide(config, o.Secrets, o.standIn)
	if err != nil {
		return nil, err
	}
	values, err := stackfile.Texts(plain)
	if err != nil {
		return nil, err
	}
	read, err := state.Read(exported)
	if err != nil {
		return nil, err
	}
	r := &run{Session: &Session{o: o, configuration: values}}
	return r.report, r.judge(&results{exported: exported, state: read})
}
