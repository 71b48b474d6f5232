package mutation

import "regexp"

// argument says why a mutant that the rehearsal does not notice is no gap.
type argument struct {
	// kind matches the mutants' type, path and damage.
	kind *regexp.Regexp
	why  string
}

func because(kind, why string) argument { return argument{regexp.MustCompile(kind), why} }

// argued are the mutants that a first life of a stack cannot tell from the original, or that are no worse.
var argued = []argument{
	because(`Instance userDataReplaceOnChange is `, "It decides a later change only: rehearsal/change counts nodes that are stopped in place."),
	because(`Instance allowMajorVersionUpgrade is `, "It decides a later change only: the change database-major of rehearsal/change needs it."),
	because(`Instance (applyImmediately|multiAz) is true`, "It is stricter, or dearer, than a stack that may be thrown away needs."),
	because(`Instance applyImmediately is false`, "It delays changes to the maintenance window."),
	because(`Instance deleteAutomatedBackups is false`, "Backups stay longer than needed."),
	because(`Record aliases\[\*\]\.evaluateTargetHealth`, "The name has one record, which Route 53 answers with either way."),
	because(`Record allowOverwrite is false`, "It matters where another stack left the same validation record."),
	because(`enabledCloudwatchLogsExports loses its first entry`, "The database runs the same; its other logs are still exported."),
	because(`VpcEndpoint subnetIds loses its first entry`, "The other zones' interfaces answer, at the price of a way between zones."),
	because(`bucketKeyEnabled is false`, "It costs more calls of KMS and changes nothing else."),
}

func arguments(m Mutant) string {
	for _, a := range argued {
		if a.kind.MatchString(m.kind()) {
			return a.why
		}
	}
	return ""
}
