package drill

import "github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"

// Serve runs the trials where this process was started for them, and never returns then.
func Serve() { sandbox.Serve(map[string]sandbox.Part{part: inside}) }
