package config

import (
	"reflect"
	"strings"
)

// fill completes what a month's bill is taken to depend on. The figures are of a small cluster; the control plane's logs are
// those of an EKS cluster with every log type on, of which AWS's customers report about 100 GB a month.
func (u *Usage) fill() {
	setPtr(&u.DataOut, 100)
	setPtr(&u.DataBetweenZones, 100)
	setPtr(&u.NATData, 10)
	setPtr(&u.EndpointData, 20)
	setPtr(&u.CapacityUnits, 1)
	setPtr(&u.Logs, 10)
	setPtr(&u.FlowLogs, 5)
	setPtr(&u.ControlPlaneLogs, 100)
	setPtr(&u.Files, 1)
	setPtr(&u.FilesRead, 10)
	setPtr(&u.FilesWritten, 1)
	setPtr(&u.Objects, 5)
	setPtr(&u.Images, 2)
	setPtr(&u.Backups, 0)
	setPtr(&u.APICalls, 100000)
}

// Amounts are the figures by the key that the stack file has for each.
func (u Usage) Amounts() map[string]int {
	amounts := map[string]int{}
	for i, v := 0, reflect.ValueOf(u); i < v.NumField(); i++ {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		amounts[name] = int(v.Field(i).Elem().Int())
	}
	return amounts
}
