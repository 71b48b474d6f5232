package cloud

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// fresh returns a new identifier. It is the same in every rehearsal of the same stack.
func (c *Cloud) fresh(urn, form string) string {
	return identifier(fmt.Sprintf("%s#%d", urn, c.made[urn]), form)
}

func identifier(seed, form string) string {
	sum := sha256.Sum256([]byte(form + seed))
	h := hex.EncodeToString(sum[:])
	switch form {
	case "hex8":
		return h[:8]
	case "uuid":
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
	case "digits":
		var n uint64
		for _, b := range sum[:8] {
			n = n<<8 | uint64(b)
		}
		return fmt.Sprintf("%010d", n%10_000_000_000)
	case "upper6":
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		b := make([]byte, 6)
		for i := range b {
			b[i] = letters[int(sum[i])%len(letters)]
		}
		return string(b)
	}
	return h[:17]
}

// stable reports whether a template always gives the same text.
func stable(template string) bool {
	return !slices.ContainsFunc(generated, func(form string) bool { return strings.Contains(template, "{"+form+"}") })
}

var placeholder = regexp.MustCompile(`\{[A-Za-z0-9.]+\}`)

// generated are the placeholders that are new for every resource.
var generated = []string{"hex", "hex8", "uuid", "digits", "upper6"}

// expand fills a template. A part that is not known yet makes the result unknown.
func (c *Call) expand(template string) any {
	unknown := false
	filled := placeholder.ReplaceAllStringFunc(template, func(p string) string {
		name := strings.Trim(p, "{}")
		var v any
		switch name {
		case "region":
			v = c.Cloud.region
		case "account":
			v = c.Cloud.account
		case "partition":
			v = c.Cloud.partition()
		case "suffix":
			v = c.Cloud.suffix()
		case "id":
			v = c.ID
		default:
			if slices.Contains(generated, name) {
				v = c.Cloud.fresh(c.URN, name)
				break
			}
			if v = get(c.Out, name); v == nil {
				v = get(c.In, name)
			}
		}
		if hasUnknown(v) || (c.Preview && (name == "id" && c.ID == "" || slices.Contains(generated, name))) {
			unknown = true
		}
		if v == nil {
			return ""
		}
		return fmt.Sprint(v)
	})
	if unknown {
		return Unknown{}
	}
	return filled
}
