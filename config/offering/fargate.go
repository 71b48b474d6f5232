package offering

import "slices"

// FargatePage has AWS's list of the Regions and zones in which Fargate runs Linux containers.
const FargatePage = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/AWS_Fargate-Regions.html"

// fargate are the Regions of this list, under "Linux containers". A Region with names runs tasks in these zones only. From
// cn-north-1 on, the text is the older one in doc_source/AWS_Fargate-Regions.md of
// github.com/awsdocs/amazon-ecs-developer-guide. For ARM the guide excludes one zone more, use1-az3 ("Amazon ECS task
// definitions for 64-bit ARM workloads"). This program's tasks on Fargate are all of x86.
var fargate = map[string][]string{
	"us-east-2": nil, "us-east-1": nil, "us-west-1": {"usw1-az1", "usw1-az3"}, "us-west-2": nil,
	"ca-central-1": nil, "ca-west-1": nil, "mx-central-1": nil, "af-south-1": nil,
	"ap-east-1": nil, "ap-south-1": nil, "ap-south-2": nil, "ap-northeast-1": {"apne1-az1", "apne1-az2", "apne1-az4"},
	"ap-northeast-2": nil, "ap-northeast-3": nil, "ap-southeast-1": nil, "ap-southeast-2": nil, "ap-southeast-3": nil,
	"ap-southeast-4": nil, "ap-southeast-5": nil, "ap-southeast-7": nil,
	"cn-north-1": {"cnn1-az1", "cnn1-az2"}, "cn-northwest-1": nil,
	"eu-central-1": nil, "eu-central-2": nil, "eu-west-1": nil, "eu-west-2": nil, "eu-west-3": nil,
	"eu-south-1": nil, "eu-south-2": nil, "eu-north-1": nil,
	"sa-east-1": nil, "me-south-1": nil, "me-central-1": nil, "us-gov-east-1": nil, "us-gov-west-1": nil,
}

// Fargate reports whether the list has a Region.
func Fargate(region string) bool {
	_, listed := fargate[region]
	return listed
}

// FargateInSomeZones reports whether Fargate runs tasks in some of a Region's zones only.
func FargateInSomeZones(region string) bool { return len(fargate[region]) > 0 }

// FargateIn reports whether Fargate runs tasks in the zone with this id. It is true in a Region that is not in the list.
func FargateIn(region, zone string) bool {
	return !FargateInSomeZones(region) || slices.Contains(fargate[region], zone)
}
