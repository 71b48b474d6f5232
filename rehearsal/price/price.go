// Package price says what a month of a stack costs: it prices the resources of an exported state with AWS's list prices.
// What depends on use rests on the assumptions that the state's outputs state, and what has no known price is named.
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

// Hours are the hours of a month as AWS's own calculator counts them.
const Hours = 730

// Price is what one unit costs in a Region.
type Price struct {
	// Region is the Region, or "aws" for all Regions of AWS's commercial partition.
	Region string
	// Service and Item name what is paid for, such as vpc and NAT gateway. Unit is what is counted.
	Service, Item, Unit string
	Amount              float64
	Currency            string
	// AsOf is the day on which Source was read, as RFC 3339 writes it.
	AsOf, Source string
}

//go:embed prices.csv
var file []byte

type key struct{ region, service, item string }

// list are the prices of the file. A mistake in the file is one of this program's, and a test reads it whole.
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

// columns are the file's.
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

// Find is the price of an item in a Region. It is false where none is known.
func Find(region, service, item string) (Price, bool) {
	p, ok := list()[key{region, service, item}]
	if !ok && partition(region) == commercial {
		p, ok = list()[key{commercial, service, item}]
	}
	return p, ok
}

// commercial is AWS's partition of most Regions, and what rows for all of them have for a Region.
const commercial = "aws"

// partition is the partition of a Region.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return commercial
}

// currency is what a Region's prices are in.
func currency(region string) string {
	if partition(region) == "aws-cn" {
		return "CNY"
	}
	return "USD"
}

// stale is after how long a price may no longer be true.
const stale = 365 * 24 * time.Hour

// Old reports whether the price was read more than a year before a day.
func (p Price) Old(today time.Time) bool {
	read, err := time.Parse(time.DateOnly, p.AsOf)
	return err != nil || today.Sub(read) > stale
}
