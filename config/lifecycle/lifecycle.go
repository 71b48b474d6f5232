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

// Of says what has versions.
type Of string

// What has versions. Databases are called as a stack calls their engines.
const (
	Kubernetes  Of = "Kubernetes on EKS"
	Postgres    Of = "postgres"
	MySQL       Of = "mysql"
	MariaDB     Of = "mariadb"
	SQLServer   Of = "mssql"
	Oracle      Of = "oracle"
	Corretto    Of = "Amazon Corretto"
	AmazonLinux Of = "Amazon Linux"
)

// Version is one version's life.
type Version struct {
	Of   Of
	Name string
	// Ends is the last day of standard support.
	Ends Date
	// Extended is the last day of support that is paid for besides; empty where there is none.
	Extended Date
}

// after says what becomes of a version after its last day, and sources is where AWS publishes the days.
var (
	after = map[Of]string{
		Kubernetes: "EKS raises the cluster to the next version by itself; with eks.extendedSupport it stays, and each hour costs six " +
			"times as much",
		Postgres:    "RDS upgrades it by itself; with database.extendedSupport it stays, and each vCPU is paid for besides",
		MySQL:       "RDS upgrades it by itself; with database.extendedSupport it stays, and each vCPU is paid for besides",
		MariaDB:     "RDS upgrades it by itself",
		SQLServer:   "RDS upgrades it by itself",
		Oracle:      "Oracle makes no more patches for it, so RDS has none",
		Corretto:    "Amazon makes no more patches for it",
		AmazonLinux: "Amazon makes security patches only, for two years more",
	}
	sources = map[Of]string{
		Kubernetes:  "https://docs.aws.amazon.com/eks/latest/userguide/kubernetes-versions.html",
		Postgres:    "https://docs.aws.amazon.com/AmazonRDS/latest/PostgreSQLReleaseNotes/postgresql-release-calendar.html",
		MySQL:       "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MySQL.Concepts.VersionMgmt.html",
		MariaDB:     "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/MariaDB.Concepts.VersionMgmt.html",
		SQLServer:   "https://learn.microsoft.com/en-us/lifecycle/products/?products=sql-server",
		Oracle:      "https://www.oracle.com/us/assets/lifetime-support-technology-069183.pdf",
		Corretto:    "https://aws.amazon.com/corretto/faqs/",
		AmazonLinux: "https://docs.aws.amazon.com/linux/al2023/ug/release-cadence.html",
	}
)

// After says what becomes of the version after its last day.
func (v Version) After() string { return after[v.Of] }

// Source is where the day is published.
func (v Version) Source() string { return sources[v.Of] }

// String names the version, such as "postgres 16".
func (v Version) String() string { return string(v.Of) + " " + v.Name }

// Left is how many days of standard support are left on a day. It is negative once the last day is over.
func (v Version) Left(on time.Time) int {
	return int(v.Ends.Day().Sub(on.UTC().Truncate(24*time.Hour)).Hours() / 24)
}

const (
	// read is when the table below was read from its sources, and compared with endoflife.date, which reads them too.
	read Date = "2026-11-26"
	// DefaultDays is how many days of support a version must have left to be a default.
	DefaultDays = 180
)

// Lasts says that the version may be a default: its support lasted long enough when the table was read. It does not
// depend on the current day, so that no stack gets another default without another release of this program.
func (v Version) Lasts() bool { return v.Left(read.Day()) >= DefaultDays }

var versions = []Version{
	{Kubernetes, "1.34", "2026-12-02", "2027-12-02"},
	{Kubernetes, "1.35", "2027-03-27", "2028-03-27"},
	{Kubernetes, "1.36", "2027-08-02", "2028-08-02"},
	{Postgres, "13", "2026-02-28", "2029-02-28"},
	{Postgres, "14", "2027-02-28", "2030-02-28"},
	{Postgres, "15", "2028-02-29", "2031-02-28"},
	{Postgres, "16", "2029-02-28", "2032-02-29"},
	{Postgres, "17", "2030-02-28", "2033-02-28"},
	{Postgres, "18", "2031-02-28", "2034-02-28"},
	{MySQL, "8.0", "2026-07-31", "2029-07-31"},
	{MySQL, "8.4", "2029-07-31", "2032-07-31"},
	{MariaDB, "10.6", "2026-12-31", ""},
	{MariaDB, "10.11", "2028-02-29", ""},
	{MariaDB, "11.4", "2029-05-31", ""},
	{MariaDB, "11.8", "2028-06-30", ""},
	{SQLServer, "14.00", "2027-10-12", ""},
	{SQLServer, "15.00", "2030-01-08", ""},
	{SQLServer, "16.00", "2033-01-11", ""},
	{Oracle, "19", "2029-12-31", ""},
	{Corretto, "11", "2032-01-31", ""},
	{Corretto, "17", "2029-10-31", ""},
	{Corretto, "21", "2030-10-31", ""},
	{AmazonLinux, "2023", "2027-06-30", "2029-06-30"},
}

// Find tells a version's life; false where no day is published.
func Find(of Of, name string) (Version, bool) {
	i := slices.IndexFunc(versions, func(v Version) bool { return v.Of == of && v.Name == name })
	if i < 0 {
		return Version{}, false
	}
	return versions[i], true
}

// All lists every version whose last day is known.
func All() []Version { return slices.Clone(versions) }
