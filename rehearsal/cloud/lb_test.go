package cloud

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

func TestRefusesWrongLoadBalancers(t *testing.T) {
	w := network(t)
	listener := func(change Object) Object {
		in := Object{"loadBalancerArn": w.arn("alb"), "port": 443.0, "protocol": "HTTP", "defaultActions": []any{
			Object{"type": "forward", "targetGroupArn": w.arn("targets")},
		}}
		maps.Copy(in, change)
		return in
	}
	w.refusesEach(t, mistakes{
		"load balancer name": {state.LoadBalancer, Object{"name": strings.Repeat("x", 33), "subnets": w.list("a", "b")},
			"name has 33 characters"},
		"load balancer in one zone":  {state.LoadBalancer, Object{"name": "x", "subnets": w.list("a")}, "two different zones"},
		"load balancer twice a zone": {state.LoadBalancer, Object{"name": "x", "subnets": w.list("a", "a2")}, "one subnet per zone"},
		"load balancer over VPCs":    {state.LoadBalancer, Object{"name": "x", "subnets": w.list("a", "foreign")}, "foreign"},
		"logs nobody may write": {state.LoadBalancer, Object{"name": "x", "subnets": w.list("a", "b"),
			"accessLogs": Object{"bucket": "wso2is-dev-config", "enabled": true}}, "access denied"},
		"health check timeout": {state.TargetGroup, Object{"port": 1.0, "protocol": "HTTP", "vpcId": w.ids["vpc"],
			"healthCheck": Object{"interval": 5.0, "timeout": 5.0}}, "smaller than"},
		"HTTPS without certificate": {state.Listener, listener(Object{"protocol": "HTTPS"}), "certificateArn"},
		"certificate not issued": {state.Listener, listener(Object{"protocol": "HTTPS",
			"certificateArn": w.arn("certificate")}), "not issued yet"},
		"TCP at an Application Load Balancer": {state.Listener, listener(Object{"protocol": "TCP"}), "has no listeners for TCP"},
		"sticky sessions of the other kind": {state.TargetGroup, Object{"port": 1.0, "protocol": "TCP", "vpcId": w.ids["vpc"],
			"stickiness": Object{"enabled": true, "type": "lb_cookie"}}, "stickiness of the type lb_cookie is not for the protocol TCP"},
		"HTTP with certificate": {state.Listener, listener(Object{"certificateArn": w.arn("certificate")}),
			"has no certificate"},
	})
}

func TestRefusesWrongCertificatesAndRecords(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"certificate never validated": {state.CertificateValidation, Object{"certificateArn": w.arn("certificate")}, "TimedOut"},
		"record in no zone": {state.DNSRecord, Object{"zoneId": "Z00000000", "name": "a.example.com", "type": "A",
			"ttl": 60.0, "records": []any{"192.0.2.1"}}, "NoSuchHostedZone"},
		"record outside its zone": {state.DNSRecord, Object{"zoneId": w.ids["zone"], "name": "a.example.org", "type": "A",
			"ttl": 60.0, "records": []any{"192.0.2.1"}}, "not within the zone"},
		"record without ttl": {state.DNSRecord, Object{"zoneId": w.ids["zone"], "name": "a.example.com", "type": "A",
			"records": []any{"192.0.2.1"}}, "ttl"},
	})
}

func TestRefusesWrongWebACLs(t *testing.T) {
	w := network(t)
	w.refusesEach(t, mistakes{
		"web ACL of another region": {"aws:wafv2/webAclAssociation:WebAclAssociation", Object{"resourceArn": w.arn("alb"),
			"webAclArn": "arn:aws:wafv2:eu-west-2:123456789012:regional/webacl/x/1-2"}, "eu-west-2"},
	})
}

// TestRefusesWrongRules also checks that a rule makes its target group one of a load balancer, for ECS.
func TestRefusesWrongRules(t *testing.T) {
	w := network(t)
	rule := func(listener, group string, priority any) Object {
		in := Object{"listenerArn": w.arn(listener), "conditions": []any{Object{"hostHeader": Object{"values": []any{"is.example.com"}}}},
			"actions": []any{Object{"type": "forward", "targetGroupArn": w.arn(group)}}, "priority": priority}
		maps.DeleteFunc(in, func(_ string, v any) bool { return v == nil })
		return in
	}
	for balancer, port := range map[string]float64{"alb": 80, "other": 81} {
		if balancer == "other" {
			w.create(state.LoadBalancer, balancer, Object{"name": balancer, "subnets": w.list("a", "b")})
		}
		w.create(state.Listener, "of-"+balancer, Object{"loadBalancerArn": w.arn(balancer), "port": port, "protocol": "HTTP",
			"defaultActions": []any{Object{"type": "fixed-response"}}})
	}
	w.create(state.ListenerRule, "first", rule("of-alb", "targets", 7.0))
	r, err := w.try(state.ListenerRule, "next", rule("of-alb", "targets", nil))
	require.NoError(t, err)
	require.EqualValues(t, 8, r.Outputs["priority"], "the one after the highest")
	require.Contains(t, r.ID, ":listener-rule/app/")
	w.refusesEach(t, mistakes{
		"a priority twice":              {state.ListenerRule, rule("of-alb", "targets", 7.0), "PriorityInUse"},
		"a priority too high":           {state.ListenerRule, rule("of-alb", "targets", 50001.0), "priority"},
		"a group of two load balancers": {state.ListenerRule, rule("of-other", "targets", 1.0), "TargetGroupAssociationLimit"},
	})
}
