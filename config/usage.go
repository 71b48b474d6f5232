package config

import (
	"reflect"
	"strings"
)

// fillUsage completes the assumed use for a month's bill. The figures are those of a small cluster. AWS's customers
// report about 100 GB a month of logs for an EKS cluster with every log type on.
func (c *Cluster) fillUsage() {
	u := &c.Usage
	setUnlessExplicit(c, "usage.dataOut", &u.DataOut, 100)
	setUnlessExplicit(c, "usage.dataBetweenZones", &u.DataBetweenZones, 100)
	setUnlessExplicit(c, "usage.natData", &u.NATData, 10)
	setUnlessExplicit(c, "usage.endpointData", &u.EndpointData, 20)
	setUnlessExplicit(c, "usage.capacityUnits", &u.CapacityUnits, 1)
	setUnlessExplicit(c, "usage.logs", &u.Logs, 10)
	setUnlessExplicit(c, "usage.flowLogs", &u.FlowLogs, 5)
	setUnlessExplicit(c, "usage.controlPlaneLogs", &u.ControlPlaneLogs, 100)
	setUnlessExplicit(c, "usage.databaseStorage", &u.DatabaseStorage, 20)
	setUnlessExplicit(c, "usage.databaseRequests", &u.DatabaseRequests, 10)
	setUnlessExplicit(c, "usage.files", &u.Files, 1)
	setUnlessExplicit(c, "usage.filesRead", &u.FilesRead, 10)
	setUnlessExplicit(c, "usage.filesWritten", &u.FilesWritten, 1)
	setUnlessExplicit(c, "usage.objects", &u.Objects, 5)
	setUnlessExplicit(c, "usage.images", &u.Images, 2)
	setUnlessExplicit(c, "usage.apiCalls", &u.APICalls, 100000)
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
