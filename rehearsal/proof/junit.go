package proof

import (
	"encoding/xml"
	"fmt"
	"strings"
)

// The format of a JUnit report, as far as CI systems read it (the schema of Jenkins' xUnit plugin).
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Skipped *junitSkipped `xml:"skipped,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitSkipped struct {
		Message string `xml:"message,attr"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit returns the verdicts about a stack as a JUnit report. Each claim is a test case. The class of a case is the
// stack and the area of the claim, such as prod.network.
func (r *Report) JUnit(stack string) ([]byte, error) {
	suite := junitSuite{Name: stack}
	for _, area := range r.areas() {
		for _, v := range area.verdicts {
			one := junitCase{Class: stack + "." + area.name, Name: v.Claim, Out: v.Shown}
			if len(v.Open) > 0 {
				one.Out += "\nNot shown by the state: " + strings.Join(v.Open, "; ")
			}
			if !v.Proven() {
				one.Failure, one.Out = &junitFailure{v.Faults[0], strings.Join(v.Faults, "\n")}, ""
				suite.Failures++
			}
			if v.Word() == "not decided" {
				one.Skipped = &junitSkipped{strings.Join(v.Open, "; ")}
				suite.Skipped++
			}
			suite.Cases = append(suite.Cases, one)
		}
	}
	suite.Tests = len(suite.Cases)
	text, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the JUnit report: %w", err)
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}
