package config

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// cronExpression is an AWS cron expression whose minute is one number, since AWS Backup makes backups at most once an
// hour ("Backup plan options and configuration" in its developer guide). Its fields are minutes, hours, days of the
// month, months, days of the week, years.
var cronExpression = regexp.MustCompile(`^cron\(([0-5]?\d) ([\d*,/-]+) ([\d*,/?LW-]+) ([\dA-Z*,/-]+) ([\dA-Z*,/?L#-]+) ([\d*,/-]+)\)$`)

var (
	vaultShape = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):backup:([a-z0-9-]+):(\d{12}):backup-vault:[A-Za-z0-9_-]{2,50}$`)
	keyShape   = regexp.MustCompile(`^arn:(aws|aws-cn|aws-us-gov):kms:([a-z0-9-]+):(\d{12}):key/[A-Za-z0-9-]+$`)
)

const (
	minutesPerHour = 60
	// beforeMaintenance is the time before a maintenance window in which AWS Backup starts no backup of a database
	// (same page).
	beforeMaintenance = minutesPerHour
)

func (v *validator) backup() {
	b := v.Backup
	if !b.Enabled {
		for path, given := range map[string]bool{"backup.lock": b.Lock != nil, "backup.copyTo": b.CopyTo != nil} {
			if given {
				v.refuse(path, "leave it out, or write backup.enabled: true", "without a plan there is no backup to keep or copy")
			}
		}
		return
	}
	if fields := cronExpression.FindStringSubmatch(b.Schedule); fields == nil || (fields[3] == "?") == (fields[5] == "?") ||
		len(b.starts()) == 0 {
		v.refuse("backup.schedule", "write six fields with one minute, and a ? for unused days, such as cron(0 5 * * ? *)",
			"%q is no valid cron expression of AWS Backup", b.Schedule)
	}
	if b.CompletionWindow < b.StartWindow+minutesPerHour {
		v.refuse("backup.completionWindow", "write "+strconv.Itoa(b.StartWindow+minutesPerHour)+" or more",
			"a backup may start after %d minutes, and has to be complete after %d", b.StartWindow, b.CompletionWindow)
	}
	if v.FileSystem.Backup && v.FileSystem.Made() {
		v.refuse("fileSystem.backup", "leave it out, or write backup.enabled: false",
			"the plan of wso2is:backup already backs up the file system, and a second daily backup would double the cost")
	}
	v.vaultLock()
	v.backupCopy()
}

func (v *validator) vaultLock() {
	lock := v.Backup.Lock
	if lock == nil {
		return
	}
	most := lock.MaxRetentionDays
	switch {
	case most > 0 && most < lock.MinRetentionDays:
		v.refuse("backup.lock.maxRetentionDays", "write minRetentionDays or more", "%d days are less than minRetentionDays", most)
	case v.Backup.RetentionDays < lock.MinRetentionDays, most > 0 && v.Backup.RetentionDays > most:
		// "AWS Backup Vault Lock": the vault fails each backup job whose retention is outside.
		v.refuse("backup.retentionDays", "write a number within the lock", "a vault with this lock refuses a backup that is kept for %d days",
			v.Backup.RetentionDays)
	}
}

func (v *validator) backupCopy() {
	to := v.Backup.CopyTo
	if to == nil {
		return
	}
	vault := vaultShape.FindStringSubmatch(to.VaultARN)
	if vault == nil {
		v.refuse("backup.copyTo.vaultArn", "write it as AWS shows it, such as arn:aws:backup:eu-central-1:123456789012:backup-vault:name",
			"%q is no ARN of a backup vault", to.VaultARN)
		return
	}
	region, account := vault[2], vault[3]
	own := v.Provider.AllowedAccountIds
	if region != v.Region && len(own) > 0 && !slices.Contains(own, account) {
		// "Copy a backup" in the AWS Backup developer guide.
		v.refuse("backup.copyTo.vaultArn", "write a vault in another region of this account, or in "+v.Region+" of another account",
			"AWS Backup copies no RDS snapshot to another region and another account at once")
	}
	if to.SecretsKeyARN == "" {
		return
	}
	key := keyShape.FindStringSubmatch(to.SecretsKeyARN)
	switch {
	case key == nil || key[2] != region || key[3] != account:
		v.refuse("backup.copyTo.secretsKeyArn", "write the ARN of a key beside the vault, such as arn:aws:kms:"+region+":"+account+":key/…",
			"%q is no key of the vault's region and account", to.SecretsKeyARN)
	case region == v.Region:
		v.refuse("backup.copyTo.secretsKeyArn", "leave it out", "Secrets Manager replicates a secret to another region only")
	}
}

// starts are the minutes of a day at which backups are due. It is empty if the schedule cannot be read.
func (b Backup) starts() []int {
	fields := cronExpression.FindStringSubmatch(b.Schedule)
	if fields == nil {
		return nil
	}
	minute, _ := strconv.Atoi(fields[1])
	var all []int
	for _, part := range strings.Split(fields[2], ",") {
		hours, step, stepped := strings.Cut(part, "/")
		by := 1
		if stepped {
			by, _ = strconv.Atoi(step)
		}
		first, last, ranged := strings.Cut(hours, "-")
		from, err := strconv.Atoi(first)
		to := from
		switch {
		case hours == "*":
			from, to, err = 0, 23, nil
		case ranged:
			to, _ = strconv.Atoi(last)
		case stepped:
			to = 23
		}
		if err != nil || by < 1 || from > to || to > 23 {
			return nil
		}
		for hour := from; hour <= to; hour += by {
			all = append(all, hour*minutesPerHour+minute)
		}
	}
	return all
}

// backup warns of backups that are due while AWS Backup, or RDS, starts none.
func (w *warnings) backup(c *Cluster) {
	if !c.Backup.Enabled {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.Database.Instances)) {
		i := c.Database.Instances[name]
		daily, _ := parseDayWindow(i.BackupWindow)
		weekly, _ := parseWeekWindow(i.MaintenanceWindow)
		weekly = window{weekly.start - beforeMaintenance, weekly.length + beforeMaintenance}
		meets := func(other window, days int) bool {
			return slices.ContainsFunc(c.Backup.starts(), func(start int) bool {
				for day := range days {
					if other.overlaps(window{day*minutesPerDay + start, 1}) {
						return true
					}
				}
				return false
			})
		}
		if meets(weekly, len(weekdays)) {
			w.say("backup.schedule", "AWS Backup starts no backup of the database %s from an hour before its maintenance window %s until "+
				"that ends; let backups be due at another time", name, i.MaintenanceWindow)
		}
		if meets(daily, 1) {
			w.say("backup.schedule", "RDS backs the database %s up itself at %s, and takes one backup at a time; let backups be due at "+
				"another time", name, i.BackupWindow)
		}
	}
}

// Region is the vault's region.
func (b BackupCopy) Region() string { return b.part(2) }

// Account is the vault's account.
func (b BackupCopy) Account() string { return b.part(3) }

func (b BackupCopy) part(n int) string {
	if parts := vaultShape.FindStringSubmatch(b.VaultARN); parts != nil {
		return parts[n]
	}
	return ""
}
