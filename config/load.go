package config

import (
	"fmt"
	"time"
)

// Source provides the configuration: Pulumi's, or a test's map. Keys are full, such as wso2is:nodes.
type Source interface {
	// Keys lists the keys that are set, as far as the source knows. Load reports unknown ones.
	Keys() []string
	// Get returns a value: text for a scalar, JSON for an object.
	Get(key string) (string, bool)
	// IsSecret reports whether the value, or any part of an object, is stored encrypted.
	IsSecret(key string) bool
}

// Environment completes the configuration. Its functions ask AWS. They are called only for values that a stack leaves
// out or cannot know, and only after all written values are valid.
type Environment struct {
	Project, Stack string
	// Name is the cluster's name, the beginning of every name in AWS. An empty one means project and stack.
	Name string
	// Open prepares the AWS provider for the other functions, from the valid configuration so far.
	Open func(c Cluster) error
	// Zones lists a region's availability zones.
	Zones func(region string) ([]Zone, error)
	// AccountID is the account's id.
	AccountID func() (string, error)
	// Today is the day for which the support of versions is checked. It is the current day if it is nil.
	Today func() time.Time
}

// Loaded is a valid cluster and its warnings.
type Loaded struct {
	// Cluster has every default filled in.
	Cluster Cluster
	// Warnings are about risky choices, one line each.
	Warnings []string
}

// ProviderNamespace is the namespace of the AWS provider's keys. RegionKey is the key in it that every stack has.
const (
	ProviderNamespace = "aws:"
	RegionKey         = ProviderNamespace + "region"
)

// Load reads, completes and checks a stack's configuration. If the configuration is wrong, its error is Problems, with
// everything that is wrong.
func Load(src Source, env Environment) (Loaded, error) {
	c := Cluster{Project: env.Project, Stack: env.Stack, name: env.Name}
	problems := decode(src, &c)
	written := c
	c.fillIn()
	problems = append(problems, c.validate(written).except(problems)...)
	today := time.Now
	if env.Today != nil {
		today = env.Today
	}
	problems = append(problems, c.validateSupport(today()).except(problems)...)
	zonesKnown := len(c.Network.Zones) > 0
	if zonesKnown {
		problems = append(problems, c.placeNodes().except(problems)...)
	}
	if err := problems.err(); err != nil {
		return Loaded{}, err
	}
	if env.Open != nil {
		if err := env.Open(c); err != nil {
			return Loaded{}, err
		}
	}
	if !zonesKnown || c.zonesDiffer() || c.Network.SESEndpoint {
		zones, err := env.Zones(c.Region)
		if err != nil {
			return Loaded{}, fmt.Errorf("listing the availability zones of %s: %w", c.Region, err)
		}
		if zonesKnown {
			problems = c.validateZones(zones)
		} else {
			c.chooseZones(zones)
			problems = c.placeNodes()
		}
		problems = append(problems, c.chooseSESZones(zones)...)
		if err := problems.err(); err != nil {
			return Loaded{}, err
		}
	}
	if err := c.completeArtifacts(env); err != nil {
		return Loaded{}, err
	}
	if err := c.completeImages(env); err != nil {
		return Loaded{}, err
	}
	return Loaded{Cluster: c, Warnings: c.warnings(today())}, nil
}

// placeNodes sets the nodes' addresses after the zones are known, and checks the rules that depend on both.
func (c *Cluster) placeNodes() Problems {
	problems := c.validateCapacity()
	if len(problems) == 0 && c.Fixed() {
		c.place()
		problems = c.validatePlacement()
	}
	return problems
}

// completeArtifacts sets the default source of artifacts: the account's bucket.
func (c *Cluster) completeArtifacts(env Environment) error {
	archive, driver := &c.Product.Archive, &c.Product.Driver
	needArchive := !c.Containerized() && archive.Source == ""
	needDriver := !c.Container.Baked && driver.Source == ""
	if !needArchive && !needDriver {
		return nil
	}
	account, err := env.AccountID()
	if err != nil {
		return fmt.Errorf("asking for the account's id: %w", err)
	}
	bucket := fmt.Sprintf("s3://wso2is-artifacts-%s-%s/", account, c.Region)
	if needArchive {
		archive.Source = fmt.Sprintf("%swso2is-%s.zip", bucket, c.Version)
	}
	if needDriver {
		jar := c.Database.Facts().Driver
		*driver = Artifact{Source: bucket + jar.Jar, SHA256: jar.SHA256}
	}
	return nil
}
