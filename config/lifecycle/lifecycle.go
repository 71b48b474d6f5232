// Package lifecycle knows until when each version that a stack can choose is supported, and what comes after.
package lifecycle

import (
	"fmt"
	"slices"
	"time"
)

// Date is a day as RFC 3339 writes it, such as 2027-08-02.
type Date string

// Day is the date at midnight UTC.
func (d Date) Day() time.Time {
	day, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		panic(fmt.Sprintf("%q is no date", d)) // a mistake in the table below, which a test reads whole
	}
	return day
}

// Calendar is the published lives of the versions of one thing.
type Calendar struct {
	// Of says what has the versions, such as "postgres".
	Of string
	// After says what becomes of a version after its last day of standard support.
	After string
	// Source is where the days are published.
	Source string
	// Versions are those whose last day is known, oldest first.
	Versions []Version
}

// Version is one version's life.
type Version struct {
	// Name is the version as a stack spells it.
	Name string
	// Ends is the last day of standard support.
	Ends Date
	// Extended is the last day of support that is paid for besides. It is empty where there is none.
	Extended Date
}

// Find tells a version's life. It is false where no day is published.
func (c Calendar) Find(name string) (Version, bool) {
	i := slices.IndexFunc(c.Versions, func(v Version) bool { return v.Name == name })
	if i < 0 {
		return Version{}, false
	}
	return c.Versions[i], true
}

// Left is how many days of standard support are left on a day. It is negative once the last day is over.
func (v Version) Left(on time.Time) int {
	return int(v.Ends.Day().Sub(on.UTC().Truncate(24*time.Hour)).Hours() / 24)
}

const (
	// read is when the calendars were read from their sources, and compared with endoflife.date, which reads them too.
	read Date = "2026-11-26"
	// DefaultDays is how many days of support a version must have left to be a default.
	DefaultDays = 180
)

// Lasts says that the version may be a default: its support lasted long enough when the table was read. It does not
// depend on the current day, so that no stack gets another default without another release of this program.
func (v Version) Lasts() bool { return v.Left(read.Day()) >= DefaultDays }

// The calendars of what is no database engine; those of the engines are in their rows, in package engine.
var (
	Kubernetes = Calendar{
		Of: "Kubernetes on EKS",
		After: "EKS raises the cluster to the next version by itself; with eks.extendedSupport it stays, and each hour costs six " +
			"times as much",
		Source: "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
		Versions: []Version{
			{"1.34", "2026-12-02", "2027-12-02"},
			{"1.35", "2027-03-27", "2028-03-27"},
			{"1.36", "2027-08-02", "2028-08-02"},
		},
	}
	Corretto = Calendar{
		Of:     "Amazon Corretto",
		After:  "Amazon makes no more patches for it",
		Source: "https://aws.amazon.com/corretto/faqs/",
		Versions: []Version{
			{"11", "2032-01-31", ""},
			{"17", "2029-10-31", ""},
			{"21", "2030-10-31", ""},
		},
	}
	AmazonLinux = Calendar{
		Of:       "Amazon Linux",
		After:    "Amazon makes security patches only, for two years more",
		Source:   "https://docs.aws.amazon.com/linux/al2023/ug/release-cadence.html",
		Versions: []Version{{"2023", "2027-06-30", "2029-06-30"}},
	}
)
