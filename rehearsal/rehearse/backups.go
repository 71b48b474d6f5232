package rehearse

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// backups adds the largest loss of data after a restore from a backup, and the time between the parts of one backup.
func (r *results) backups(p *page) {
	for _, plan := range r.state.Of(state.BackupPlan) {
		for _, rule := range plan.Objects("rules") {
			start, complete := inMinutes(rule, "startWindow"), inMinutes(rule, "completionWindow")
			kept, _ := rule.Object("lifecycle")["deleteAfter"].(float64)
			every, lost := "unknown", "unknown"
			if gap := longestGap(rule.Text("schedule")); gap > 0 {
				every, lost = span(gap), span(gap+complete)
			}
			rows := [][]string{
				{"Largest loss, of everything (RPO)", lost, fmt.Sprintf("%s apart at the most (%s), and complete within %s", every, rule.Text("schedule"), span(complete))},
				{"Kept for", fmt.Sprintf("%.0f days", kept), "vault " + rule.Text("targetVaultName")},
			}
			between := []string{"Between database and files of one backup", span(complete), fmt.Sprintf("both start within %s; a snapshot has the "+
				"database at one moment, and files are read until the backup is complete", span(start))}
			if len(r.state.Databases()) == 0 {
				between = []string{"Between database and files", "unknown", "the database is not this stack's, nor are its backups"}
			}
			if len(r.state.Of(state.FileSystem)) == 0 {
				between = []string{"Between database and files", "unknown", "the files are not this stack's, nor are their backups"}
			}
			rows = slices.Insert(rows, 1, between)
			for _, d := range r.state.Databases() {
				if days, _ := d.At("backupRetentionPeriod").(float64); days > 0 {
					// "Restoring a DB instance to a specified time for Amazon RDS": logs are uploaded every five minutes.
					rows = append(rows, []string{"Largest loss, of " + state.DatabaseName(d) + " alone", "5 minutes",
						fmt.Sprintf("RDS's own backups, to any second of the last %.0f days", days)})
				}
			}
			for _, to := range rule.Objects("copyActions") {
				days, _ := to.Object("lifecycle")["deleteAfter"].(float64)
				rows = append(rows, []string{"Copied to", to.Text("destinationVaultArn"), fmt.Sprintf("kept there for %.0f days", days)})
			}
			rows = append(rows, []string{"Manifest", rule.Object("recoveryPointTags").Text("manifest"), "the manifest in the tags of new backups"})
			p.add(heading("Backups"), gridOf(rows, "What", "How much", "Because"))
		}
	}
}

func inMinutes(rule state.Object, name string) time.Duration {
	n, _ := rule[name].(float64)
	return time.Duration(n) * time.Minute
}

// span returns a time in the largest unit that divides it.
func span(d time.Duration) string {
	if d%time.Hour == 0 {
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}

// longestGap returns the longest time between two times of an AWS cron expression within fourteen months. It is 0 for a
// field that this function does not support. The minute must be one number.
func longestGap(schedule string) time.Duration {
	fields := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(schedule, "cron("), ")"))
	if len(fields) != 6 {
		return 0
	}
	var last time.Time
	var longest time.Duration
	for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2027 || at.Month() < time.March; at = at.Add(time.Hour) {
		due := true
		for _, f := range []struct {
			text         string
			value, first int
			names        string
		}{
			{fields[1], at.Hour(), 0, ""}, {fields[2], at.Day(), 1, ""}, {fields[3], int(at.Month()), 1, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
			{fields[4], int(at.Weekday()) + 1, 1, "SUNMONTUEWEDTHUFRISAT"},
		} {
			holds, known := matches(f.text, f.value, f.first, f.names)
			if !known {
				return 0
			}
			due = due && holds
		}
		if !due {
			continue
		}
		if !last.IsZero() {
			longest = max(longest, at.Sub(last))
		}
		last = at
	}
	return longest
}

// matches reports whether a field of a cron expression contains a value, and whether this function supports the field.
// Names have three letters each; the first one stands for first.
func matches(field string, value, first int, names string) (holds, known bool) {
	number := func(text string) (int, bool) {
		if at := strings.Index(names, text); at >= 0 && len(text) == 3 && at%3 == 0 {
			return first + at/3, true
		}
		n, err := strconv.Atoi(text)
		return n, err == nil
	}
	for _, part := range strings.Split(field, ",") {
		span, step, stepped := strings.Cut(part, "/")
		by := 1
		if stepped {
			var ok bool
			if by, ok = number(step); !ok || by < 1 {
				return false, false
			}
		}
		low, high := first, 1<<30
		if span != "*" && span != "?" {
			from, to, ranged := strings.Cut(span, "-")
			var ok bool
			if low, ok = number(from); !ok {
				return false, false
			}
			switch {
			case ranged:
				if high, ok = number(to); !ok {
					return false, false
				}
			case !stepped:
				high = low
			}
		}
		holds = holds || value >= low && value <= high && (value-low)%by == 0
	}
	return holds, true
}
