package proof

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// The parts of SARIF 2.1.0 that a report needs (OASIS, "Static Analysis Results Interchange Format").
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver struct {
			Name  string      `json:"name"`
			Rules []sarifRule `json:"rules"`
		} `json:"driver"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Short sarifText `json:"shortDescription"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level   string    `json:"level"`
		Message sarifText `json:"message"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				Line int `json:"startLine"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
)

var noWord = regexp.MustCompile(`[^a-z0-9]+`)

// SARIF returns the verdicts as a SARIF log. Each claim is a rule, and each fault a result in the given file. Facts that the
// state does not show are notifications, and no results: GitHub's code scanning shows every result as an alert, whatever its
// kind ("SARIF support for code scanning").
func (r *Report) SARIF(file string) ([]byte, error) {
	run := sarifRun{Invocations: []sarifInvocation{{Successful: true}}, Results: []sarifResult{}}
	run.Tool.Driver.Name = "wso2is prove"
	for _, area := range r.areas() {
		for _, v := range area.verdicts {
			id := area.name + "/" + strings.Trim(noWord.ReplaceAllString(strings.ToLower(v.Claim), "-"), "-")
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{id, sarifText{v.Claim}})
			for _, fault := range v.Faults {
				result := sarifResult{
					RuleID: id, RuleIndex: len(run.Tool.Driver.Rules) - 1, Level: "error", Message: sarifText{fault}, Locations: make([]sarifLocation, 1),
				}
				result.Locations[0].Physical.Artifact.URI, result.Locations[0].Physical.Region.Line = file, 1
				run.Results = append(run.Results, result)
			}
			for _, open := range v.Open {
				run.Invocations[0].Notifications = append(run.Invocations[0].Notifications, sarifNotification{
					"note", sarifText{v.Claim + ": not shown by the state: " + open},
				})
			}
		}
	}
	text, err := json.MarshalIndent(sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the SARIF log: %w", err)
	}
	return append(text, '\n'), nil
}
