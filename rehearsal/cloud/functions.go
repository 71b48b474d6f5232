package cloud

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/wso2is-aws/wso2is/rehearsal/state"
)

// GetResources is the function that finds resources by their tags.
const GetResources = "aws:resourcegroupstaggingapi/getResources:getResources"

// functions are the provider's functions by token.
var functions = map[string]func(*Cloud, Object) (Object, error){
	"aws:index/getAvailabilityZones:getAvailabilityZones": availabilityZones,
	"aws:index/getCallerIdentity:getCallerIdentity": func(c *Cloud, _ Object) (Object, error) {
		return Object{
			"id": c.account, "accountId": c.account, "userId": "AIDAREHEARSAL",
			"arn": c.arn(),
		}, nil
	},
	"aws:index/getPartition:getPartition": func(c *Cloud, _ Object) (Object, error) {
		reverse := strings.Split(c.suffix(), ".")
		slices.Reverse(reverse)
		return Object{
			"id": c.partition(), "partition": c.partition(), "dnsSuffix": c.suffix(),
			"reverseDnsPrefix": strings.Join(reverse, "."),
		}, nil
	},
	"aws:index/getRegion:getRegion": func(c *Cloud, _ Object) (Object, error) {
		return Object{
			"id": c.region, "name": c.region, "description": c.region, "endpoint": "ec2." + c.region + "." + c.suffix(),
		}, nil
	},
	"aws:ssm/getParameter:getParameter": publicParameter,
	"aws:ec2/getPrefixList:getPrefixList": func(c *Cloud, args Object) (Object, error) {
		return c.servicePrefixList(text(args, "name"), text(args, "prefixListId"))
	},
	"aws:ec2/getManagedPrefixList:getManagedPrefixList": func(c *Cloud, args Object) (Object, error) {
		return c.servicePrefixList(text(args, "name"), text(args, "id"))
	},
	"aws:eks/getClusters:getClusters": func(c *Cloud, _ Object) (Object, error) {
		names := []any{}
		for _, r := range c.all(state.EKSCluster) {
			names = append(names, r.ID)
		}
		return Object{"id": c.region, "names": names}, nil
	},
	"aws:elb/getServiceAccount:getServiceAccount": func(c *Cloud, _ Object) (Object, error) {
		return Object{
			"id": logDeliveryAccount, "arn": fmt.Sprintf("arn:%s:iam::%s:root", c.partition(), logDeliveryAccount),
		}, nil
	},
	"aws:secretsmanager/getSecretVersion:getSecretVersion": secretVersion,
	"aws:secretsmanager/getSecrets:getSecrets":             secretsNamed,
	"aws:kms/getKey:getKey":                                keyFacts,
	"aws:efs/getFileSystem:getFileSystem":                  fileSystemFacts,
	"aws:lb/getListener:getListener":                       listenerFacts,
	"aws:ec2/getVpc:getVpc":                                existing(state.VPC, "id", "InvalidVpcID.NotFound"),
	"aws:ec2/getSubnet:getSubnet":                          existing(state.Subnet, "id", "InvalidSubnetID.NotFound"),
	"aws:route53/getZone:getZone":                          hostedZone,
	GetResources: func(c *Cloud, args Object) (Object, error) {
		var found []any
		for _, r := range c.live() {
			if tagged(r, texts(args, "resourceTypeFilters[]"), objects(args, "tagFilters[]")) {
				found = append(found, Object{"resourceArn": text(r.Outputs, "arn"), "tags": objectAt(r.Outputs, "tags")})
			}
		}
		return Object{"id": c.region, "resourceTagMappingLists": found}, nil
	},
}

// tagged reports whether the tagging API would list a resource: one of the kinds in ARNs, with every tag.
func tagged(r *Resource, kinds []string, tags []Object) bool {
	// arn:partition:service:region:account:resource
	arn := strings.SplitN(text(r.Outputs, "arn"), ":", 6)
	if len(arn) != 6 || table[r.Token] == nil || !table[r.Token].Tags {
		return false
	}
	kind, _, _ := strings.Cut(arn[5], "/")
	if len(kinds) > 0 && !slices.Contains(kinds, arn[2]) && !slices.Contains(kinds, arn[2]+":"+kind) {
		return false
	}
	for _, tag := range tags {
		value, has := objectAt(r.Outputs, "tags")[text(tag, "key")]
		if values := texts(tag, "values[]"); !has || len(values) > 0 && !slices.Contains(values, fmt.Sprint(value)) {
			return false
		}
	}
	return true
}

func init() { maps.Copy(functions, eksFunctions) }

// Functions lists the functions that the cloud serves.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// Invoke answers a function of the provider.
func (c *Cloud) Invoke(token string, args Object) (Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	answer, ok := functions[token]
	if !ok && c.several {
		return c.stranger(token, args), nil
	}
	if !ok {
		return nil, fmt.Errorf("the offline cloud does not know the function %s: it cannot say what AWS would answer. "+
			"It knows %d functions; add this one in rehearsal/cloud/functions.go", token, len(functions))
	}
	return answer(c, args)
}

func availabilityZones(c *Cloud, _ Object) (Object, error) {
	var names, ids []any
	for _, zone := range c.zones() {
		names, ids = append(names, zone), append(ids, zoneID(zone))
	}
	return Object{"id": c.region, "names": names, "zoneIds": ids, "groupNames": []any{c.region}}, nil
}

// publicParameter returns the parameters in which AWS publishes its images.
func publicParameter(c *Cloud, args Object) (Object, error) {
	name := text(args, "name")
	if !strings.HasPrefix(name, "/aws/service/ami-amazon-linux-latest/al2023-ami-") &&
		!strings.HasPrefix(name, "/aws/service/ecs/optimized-ami/amazon-linux-2023/") {
		return nil, fail("ParameterNotFound", "there is no parameter %s", name)
	}
	value := "ami-" + identifier(c.region+name, "hex")
	return Object{
		"id": name, "name": name, "value": value, "insecureValue": value, "type": "String", "version": 1.0,
		"arn": fmt.Sprintf("arn:%s:ssm:%s::parameter%s", c.partition(), c.region, name), "withDecryption": true,
	}, nil
}

func (c *Cloud) servicePrefixList(name, id string) (Object, error) {
	for _, service := range endpointServices["Gateway"] {
		full := "com.amazonaws." + c.region + "." + service
		if full == name || c.prefixList(full) == id {
			list := c.prefixList(full)
			return Object{
				"id": list, "name": full, "prefixListId": list, "cidrBlocks": []any{"52.218.0.0/17", "3.5.64.0/21"},
				"arn": fmt.Sprintf("arn:%s:ec2:%s:aws:prefix-list/%s", c.partition(), c.region, list), "ownerId": "AWS",
				"entries": []any{Object{"cidr": "52.218.0.0/17", "description": ""}, Object{"cidr": "3.5.64.0/21",
					"description": ""}},
				"addressFamily": "IPv4", "maxEntries": 0.0, "version": 0.0, "tags": Object{},
			}, nil
		}
	}
	return nil, fail("InvalidPrefixListId.NotFound", "there is no prefix list %s%s in %s", name, id, c.region)
}

// existing looks a resource up by id.
func existing(token, key, code string) func(*Cloud, Object) (Object, error) {
	return func(c *Cloud, args Object) (Object, error) {
		r := c.find(text(args, key), "id", token)
		if r == nil {
			return nil, fail(code, "there is no %s %s", kind(token), text(args, key))
		}
		return clone(r.Outputs), nil
	}
}

func hostedZone(c *Cloud, args Object) (Object, error) {
	for _, z := range c.all(state.HostedZone) {
		if z.ID == text(args, "zoneId") || strings.TrimSuffix(text(z.Outputs, "name"), ".") ==
			strings.TrimSuffix(text(args, "name"), ".") && text(args, "name") != "" {
			out := clone(z.Outputs)
			out["zoneId"] = z.ID
			return out, nil
		}
	}
	return nil, fail("NoSuchHostedZone", "there is no hosted zone %s%s", text(args, "zoneId"), text(args, "name"))
}

// secretVersion returns the master users' secrets, which RDS manages, and the values that the stack has written.
func secretVersion(c *Cloud, args Object) (Object, error) {
	arn, value := text(args, "secretId"), ""
	if s := c.secret(arn); s != nil {
		key := text(s.Outputs, "kmsKeyId")
		switch {
		case s.Outputs[deletedDate] != nil:
			return nil, fail("InvalidRequestException", "you can't perform this operation on the secret %s because it was marked for deletion", arn)
		case key != "" && c.find(key, "arn", state.KMSKey) == nil:
			return nil, fail("DecryptionFailure", "the key %s of the secret %s is pending deletion", key, arn)
		}
		arn, value = text(s.Outputs, "arn"), s.Contents
	}
	for _, db := range c.databases() {
		if slices.Contains(texts(db.Outputs, "masterUserSecrets[].secretArn"), arn) {
			value = fmt.Sprintf(`{"username":%q,"password":%q}`, cmp.Or(text(db.Outputs, "username"), text(db.Outputs, "masterUsername")), identifier(arn, "uuid"))
		}
	}
	for _, v := range c.all(state.SecretVersion) {
		if text(v.Inputs, "secretId") == arn {
			value = text(v.Outputs, "secretString")
		}
	}
	if value == "" {
		return nil, fail("ResourceNotFoundException", "there is no secret %s with a value", arn)
	}
	return Object{
		"id": arn + "|AWSCURRENT", "arn": arn, "secretId": arn, "secretString": value, "secretBinary": "",
		"versionId": identifier(arn, "uuid"), "versionStage": "AWSCURRENT", "versionStages": []any{"AWSCURRENT"},
		"createdDate": "2026-01-01T00:00:00Z",
	}, nil
}
