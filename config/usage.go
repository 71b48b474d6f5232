package config

import (
	"reflect"
	"strings"
)

// fillUsage completes the assumed use for a month's bill. The figures are those of a small cluster. AWS's customers
// report about 100 GB a month of logs for an EKS cluster with every log type on.
func (c *Cluster) fillUsage() {
	u := &c.Usage
	unless(c, "usage.dataOut", &u.DataOut, 100)
	unless(c, "usage.dataBetweenZones", &u.DataBetweenZones, 100)
	unless(c, "usage.natData", &u.NATData, 10)
	unless(c, "usage.endpointData", &u.EndpointData, 20)
	unless(c, "usage.capacityUnits", &u.CapacityUnits, 1)
	unless(c, "usage.logs", &u.Logs, 10)
	unless(c, "usage.flowLogs", &u.FlowLogs, 5)
	unless(c, "usage.controlPlaneLogs", &u.ControlPlaneLogs, 100)
	unless(c, "usage.files", &u.Files, 1)
	unless(c, "usage.filesRead", &u.FilesRead, 10)
	unless(c, "usage.filesWritten", &u.FilesWritten, 1)
	unless(c, "usage.objects", &u.Objects, 5)
	unless(c, "usage.images", &u.Images, 2)
	unless(c, "usage.apiCalls", &u.APICalls, 100000)
}

// Amounts are the figures by their key in the stack file.
func (u Usage) Amounts() map[string]int {
	amounts := map[string]int{}
	for i, v := 0, reflect.ValueOf(u); i < v.NumField(); i++ {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		amounts[name] = int(v.Field(i).Int())
	}
	return amounts
}
