package drill

import "github.com/wso2is-aws/wso2is/rehearsal/drill/sandbox"

// Serve runs the trials if this process was started for them, and then never returns.
func Serve() { sandbox.Serve(map[string]sandbox.Part{part: inside, partOfGroup: oneGroup}) }
