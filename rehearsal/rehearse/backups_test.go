package rehearse

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestTheLongestTimeBetweenTwoBackups(t *testing.T) {
	for schedule, hours := range map[string]int{
		"cron(0 5 * * ? *)": 24, "cron(0 */6 * * ? *)": 6, "cron(0 1,13 * * ? *)": 12, "cron(0 5/12 * * ? *)": 12, "cron(0 * * * ? *)": 1,
		"cron(0 5 ? * MON-FRI *)": 72, "cron(0 5 ? * 1 *)": 168, "cron(30 5 1 * ? *)": 31 * 24, "cron(0 5 1 JAN,JUL ? *)": 184 * 24,
		"cron(0 5 L * ? *)": 0, "rate(1 day)": 0,
	} {
		assert.Equal(t, time.Duration(hours)*time.Hour, longestGap(schedule), schedule)
	}
	assert.Equal(t, []string{"32 h", "90 min", "8 h"}, []string{span(32 * time.Hour), span(90 * time.Minute), span(8 * time.Hour)})
}
