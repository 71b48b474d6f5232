// Package lifecycle has the end of support of each version that a stack can choose, and the events after it.
package lifecycle

import (
	"fmt"
	"slices"
	"time"
)

// Date is a day in the format of RFC 3339, such as 2027-08-02.
type Date string

// Day is the date at midnight UTC.
func (d Date) Day() time.Time {
	day, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		panic(fmt.Sprintf("%q is no date", d)) // a mistake in the table below; a test reads all of it
	}
	return day
}

// Calendar has the published support periods of the versions of one product.
type Calendar struct {
	// Of names the product, such as "postgres".
	Of string
	// After says what happens to a version after its last day of standard support.
	After string
	// Source is the page that publishes the days.
	Source string
	// Versions are the versions with a published last day, oldest first.
	Versions []Version
}

// Version is one version's support period.
type Version struct {
	// Name is the version as a stack file spells it.
	Name string
	// Ends is the last day of standard support.
	Ends Date
	// Extended is the last day of extended support, which costs extra. It is empty if there is none.
	Extended Date
}

// Find returns a version's support period. It is false if no day is published.
func (c Calendar) Find(name string) (Version, bool) {
	i := slices.IndexFunc(c.Versions, func(v Version) bool { return v.Name == name })
	if i < 0 {
		return Version{}, false
	}
	return c.Versions[i], true
}

// Left is the number of days of standard support after a day. It is negative after the last day.
func (v Version) Left(on time.Time) int {
	return int(v.Ends.Day().Sub(on.UTC().Truncate(24*time.Hour)).Hours() / 24)
}

const (
	// read is the day on which the calendars were read from their sources, and compared with endoflife.date, which
	// reads the same sources.
	read Date = "2026-11-26"
	// DefaultDays is the number of days of support that a default version must have left.
	DefaultDays = 180
)

// Lasts reports whether the version may be a default: its remaining support was long enough when the table was read. It
// does not depend on the current day, so a stack's default changes only with a release of this program.
func (v Version) Lasts() bool { return v.Left(read.Day()) >= DefaultDays }

// The calendars of everything except database engines; theirs are in their rows, in package engine.
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
