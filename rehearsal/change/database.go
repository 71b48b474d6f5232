package change

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// downtime says for RDS's settings whether the database is down during their change, as RDS documents it in "Settings
// for DB instances". Other settings do not interrupt it.
var downtime = map[string]string{
	"instanceClass": "is down during the change", "engineVersion": "is down during the change",
}

// atOnce are settings that RDS changes at once, also without applyImmediately.
var atOnce = []string{
	"deletionProtection", "copyTagsToSnapshot", "skipFinalSnapshot", "finalSnapshotIdentifier",
	"deleteAutomatedBackups", "allowMajorVersionUpgrade", "maxAllocatedStorage", "performanceInsightsEnabled",
	"performanceInsightsKmsKeyId", "performanceInsightsRetentionPeriod", "backupWindow", "maintenanceWindow",
	"preferredBackupWindow", "preferredMaintenanceWindow",
	"autoMinorVersionUpgrade", "enabledCloudwatchLogsExports",
}

// databaseUpdate says what an update of a DB instance, or of a cluster or its instance, does.
func databaseUpdate(s step, keys []string) string {
	keys = slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == "applyImmediately" })
	if len(keys) == 0 {
		return "nothing in RDS"
	}
	text := strings.Join(keys, ", ") + " in place"
	waits := slices.ContainsFunc(keys, func(k string) bool {
		if k == "backupRetentionPeriod" && s.old.Inputs[k] != 0. && s.new.Inputs[k] != 0. {
			return false
		}
		return !slices.Contains(atOnce, k)
	})
	if immediately, _ := s.new.Inputs["applyImmediately"].(bool); waits && !immediately {
		text += fmt.Sprintf(" in the maintenance window (%v)", cmp.Or(s.new.Inputs["maintenanceWindow"], s.new.Inputs["preferredMaintenanceWindow"]))
	}
	for _, k := range keys {
		if d := downtime[k]; d != "" {
			return text + "; the database " + d
		}
		if k == "backupRetentionPeriod" && (s.old.Inputs[k] == 0. || s.new.Inputs[k] == 0.) {
			return text + "; the database is down during the change"
		}
	}
	return text
}
