// Package price computes the cost of a month of a stack: it prices the resources of an exported state with AWS's list
// prices. Costs that depend on use are based on the assumptions in the state's outputs. Resources without a known price
// are named.
package price

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Hours are the hours of a month in AWS's own calculator.
const Hours = 730

// Price is the price of one unit in a Region.
type Price struct {
	// Region is the Region, or "aws" for all Regions of AWS's commercial partition.
	Region string
	// Service and Item name the product, such as vpc and NAT gateway.
	Service, Item, Unit string
	Amount              float64
	Currency            string
	// AsOf is the day on which Source was read, in the format of RFC 3339.
	AsOf, Source string
}

//go:embed prices.csv
var file []byte

type key struct{ region, service, item string }

// list are the prices in the file. A mistake in it is a mistake of this program; a test reads the whole file.
var list = sync.OnceValue(func() map[key]Price {
	rows, err := parse(file)
	if err != nil {
		panic(err)
	}
	all := make(map[key]Price, len(rows))
	for _, p := range rows {
		all[key{p.Region, p.Service, p.Item}] = p
	}
	return all
})

// columns are the file's columns.
var columns = []string{"region", "service", "item", "unit", "price", "currency", "as_of", "source"}

func parse(raw []byte) ([]Price, error) {
	r := csv.NewReader(bytes.NewReader(raw))
	r.Comment, r.FieldsPerRecord = '#', len(columns)
	records, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("reading the prices: %w", err)
	}
	var all []Price
	for i, row := range records {
		if i == 0 {
			continue
		}
		amount, err := strconv.ParseFloat(row[4], 64)
		if err != nil || amount <= 0 {
			return nil, fmt.Errorf("reading the prices: %q of %s is no price", row[4], strings.Join(row[:3], " "))
		}
		if _, err := time.Parse(time.DateOnly, row[6]); err != nil {
			return nil, fmt.Errorf("reading the prices: %s: %w", strings.Join(row[:3], " "), err)
		}
		all = append(all, Price{row[0], row[1], row[2], row[3], amount, row[5], row[6], row[7]})
	}
	return all, nil
}

// Find returns the price of an item in a Region. It is false if none is known.
func Find(region, service, item string) (Price, bool) {
	p, ok := list()[key{region, service, item}]
	if !ok && partition(region) == commercial {
		p, ok = list()[key{commercial, service, item}]
	}
	return p, ok
}

// commercial is AWS's partition of most Regions, and the Region of rows that apply to all of them.
const commercial = "aws"

// partition returns the partition of a Region.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return commercial
}

// currency returns the currency of a Region's prices.
func currency(region string) string {
	if partition(region) == "aws-cn" {
		return "CNY"
	}
	return "USD"
}

// stale is the age after which a price may be wrong.
const stale = 365 * 24 * time.Hour

// Old reports whether the price was read more than a year before a day.
func (p Price) Old(today time.Time) bool {
	read, err := time.Parse(time.DateOnly, p.AsOf)
	return err != nil || today.Sub(read) > stale
}
