// Package cloud is an AWS account that exists only in memory and in one journal file: a Pulumi provider that accepts,
// refuses, replaces and deletes resources as the services would, without reaching any of them.
//
// It is a table before it is a program: a row per resource type (Type), in one file per service, and one interpreter.
// It checks what the rows say and nothing else. It never starts anything, so what happens inside an instance, a
// database or a load balancer is not its subject.
package cloud

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
)

// Options say which account it is and what is in it already.
type Options struct {
	// Account is the account id; empty for the one that the configuration names, or 123456789012.
	Account string
	// Configuration is the stack's, by full key. A provider must get what it says of the AWS provider.
	Configuration map[string]string
	// Journal is the file that keeps the account between commands; empty to keep it in memory. It holds secret values,
	// as the account would, and is readable by its owner alone.
	Journal string
	// Existing are resources that were there before the stack, such as an adopted VPC.
	Existing []Resource
	// Fail decides whether a call fails. It is asked once per create, update and delete; nil for never.
	Fail func(Operation) Fault
}

// Operation is a call that could fail.
type Operation struct{ Verb, Type, Name, URN string }

// Fault is a failure. The zero value is none.
type Fault struct {
	// Message is the error; empty for no failure.
	Message string
	// Done says that the service did the work although the call failed.
	Done bool
}

// Resource is something in the account.
type Resource struct {
	Token string `json:"token"`
	ID    string `json:"id"`
	// Name and URN are Pulumi's; empty for what the account had before, and for what a service made by itself.
	Name string `json:"name,omitempty"`
	URN  string `json:"urn,omitempty"`
	// Owner is the id of the resource that made this one, such as an Auto Scaling group.
	Owner   string `json:"owner,omitempty"`
	Inputs  Object `json:"inputs"`
	Outputs Object `json:"outputs"`
	// Secrets names the properties that hold secrets.
	Secrets []string `json:"secrets,omitempty"`
	// Lost says that the call that made it was never answered.
	Lost bool `json:"lost,omitempty"`
	// Existing says that the stack does not own it.
	Existing bool `json:"existing,omitempty"`
	// Earlier are the inputs of its earlier versions, where the service keeps them.
	Earlier []Object `json:"earlier,omitempty"`
}

func (r *Resource) describe() string {
	switch {
	case r.Name != "":
		return fmt.Sprintf("%s %q (%s)", kind(r.Token), r.Name, r.ID)
	case r.Owner != "":
		return fmt.Sprintf("%s %s of %s", kind(r.Token), r.ID, r.Owner)
	}
	return kind(r.Token) + " " + r.ID
}

// Cloud is the account.
type Cloud struct {
	mu          sync.Mutex
	account     string
	region      string
	defaultTags Object
	// provider is what the stack's configuration says of the AWS provider, identity as whom that one acts.
	provider Object
	identity identity
	// uses are the AWS providers of the engine by their connections.
	uses map[string]*providerUse
	fail func(Operation) Fault
	// crashes says of what user data or containers start that it never serves; nil for nothing.
	crashes   func(definition string) bool
	alter     func(token, name string, inputs Object)
	resources map[string]*Resource
	// made counts the resources that a URN has had, so that ids are the same in every rehearsal and yet never reused.
	made    map[string]int
	journal *os.File
	// retired holds names that AWS keeps for a while after a delete, with the reason.
	retired map[string]string
	// checks counts what was checked, by kind.
	checks map[string]int
}

// entry is a line of the journal.
type entry struct {
	Put     *Resource      `json:"put,omitempty"`
	Remove  string         `json:"remove,omitempty"`
	Made    map[string]int `json:"made,omitempty"`
	Retired string         `json:"retired,omitempty"`
	Reason  string         `json:"reason,omitempty"`
}

// New opens the account and replays its journal.
func New(o Options) (*Cloud, error) {
	c := &Cloud{
		account: o.Account, fail: o.Fail, resources: map[string]*Resource{}, made: map[string]int{},
		retired: map[string]string{}, checks: map[string]int{}, provider: providerConfig(o.Configuration),
		uses: map[string]*providerUse{},
	}
	if c.account == "" {
		c.account = AccountOf(o.Configuration)
	}
	for _, r := range o.Existing {
		if _, err := lookup(r.Token); err != nil {
			return nil, fmt.Errorf("existing %s: %w", r.ID, err)
		}
		r.Existing = true
		r.Inputs, r.Outputs = clone(r.Inputs), clone(r.Outputs)
		r.Outputs["id"] = r.ID
		c.resources[c.key(&r)] = &r
	}
	if o.Journal == "" {
		return c, nil
	}
	f, err := os.OpenFile(o.Journal, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the offline cloud's journal: %w", err)
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, errors.Join(fmt.Errorf("reading the offline cloud's journal: %w", err), f.Close())
		}
		c.replay(e)
	}
	if err := lines.Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the offline cloud's journal: %w", err), f.Close())
	}
	c.journal = f
	return c, nil
}

// Close closes the journal.
func (c *Cloud) Close() error {
	if c.journal == nil {
		return nil
	}
	return c.journal.Close()
}

func (c *Cloud) replay(e entry) {
	if e.Put != nil {
		c.resources[c.key(e.Put)] = e.Put
	}
	if e.Remove != "" {
		delete(c.resources, e.Remove)
	}
	maps.Copy(c.made, e.Made)
	if e.Retired != "" {
		c.retired[e.Retired] = e.Reason
	}
}

func (c *Cloud) write(e entry) error {
	c.replay(e)
	if c.journal == nil {
		return nil
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = c.journal.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("writing the offline cloud's journal: %w", err)
	}
	return nil
}

func (c *Cloud) put(r *Resource) error {
	e := entry{Put: r}
	if r.URN != "" {
		e.Made = map[string]int{r.URN: c.made[r.URN]}
	}
	return c.write(e)
}

func (c *Cloud) remove(r *Resource) error { return c.write(entry{Remove: c.key(r)}) }

func (c *Cloud) key(r *Resource) string { return keyOf(r.Token, r.ID, r.Outputs) }

func keyOf(token, id string, properties Object) string {
	key := token + " " + id
	if t := table[token]; t != nil && t.Scope != "" {
		key += " in " + text(properties, t.Scope)
	}
	return key
}

// live lists every resource in a steady order.
func (c *Cloud) live() []*Resource {
	all := make([]*Resource, 0, len(c.resources))
	for _, key := range slices.Sorted(maps.Keys(c.resources)) {
		all = append(all, c.resources[key])
	}
	return all
}

func (c *Cloud) all(token string) []*Resource {
	var all []*Resource
	for key, r := range c.resources {
		if strings.HasPrefix(key, token+" ") {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *Resource) int { return strings.Compare(c.key(a), c.key(b)) })
	return all
}

// find is the live resource of one of the types with the value in a property.
func (c *Cloud) find(value, property string, tokens ...string) *Resource {
	for _, token := range tokens {
		if r, ok := c.resources[token+" "+value]; ok && property == "id" {
			return r
		}
		for _, r := range c.all(token) {
			if text(r.Outputs, property) == value {
				return r
			}
		}
	}
	return nil
}

// Snapshot is the account at one moment.
type Snapshot struct {
	Account, Region, Partition string
	Resources                  []Resource
	// Checks counts what was checked in creates and updates so far, by kind.
	Checks map[string]int
}

// Snapshot copies the account. It holds secret values.
func (c *Cloud) Snapshot() Snapshot {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Snapshot{
		Account: c.account, Region: c.region, Partition: c.partition(), Checks: maps.Clone(c.checks),
	}
	for _, r := range c.live() {
		copied := *r
		copied.Inputs, copied.Outputs = clone(r.Inputs), clone(r.Outputs)
		s.Resources = append(s.Resources, copied)
	}
	return s
}

// Of lists the resources of a type.
func (s Snapshot) Of(token string) []Resource {
	var all []Resource
	for _, r := range s.Resources {
		if r.Token == token {
			all = append(all, r)
		}
	}
	return all
}

// Left are the resources that a stack made and has not deleted.
func (s Snapshot) Left() []Resource {
	return slices.DeleteFunc(slices.Clone(s.Resources), func(r Resource) bool { return r.Existing })
}

func (c *Cloud) partition() string {
	switch {
	case strings.HasPrefix(c.region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(c.region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}

func (c *Cloud) suffix() string {
	if c.partition() == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// fresh is an identifier that is new, and the same in every rehearsal of the same stack.
func (c *Cloud) fresh(urn, form string) string {
	return identifier(fmt.Sprintf("%s#%d", urn, c.made[urn]), form)
}

func identifier(seed, form string) string {
	sum := sha256.Sum256([]byte(form + seed))
	h := hex.EncodeToString(sum[:])
	switch form {
	case "hex8":
		return h[:8]
	case "uuid":
		return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
	case "digits":
		var n uint64
		for _, b := range sum[:8] {
			n = n<<8 | uint64(b)
		}
		return fmt.Sprintf("%010d", n%10_000_000_000)
	case "upper6":
		const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		b := make([]byte, 6)
		for i := range b {
			b[i] = letters[int(sum[i])%len(letters)]
		}
		return string(b)
	}
	return h[:17]
}

// Configure takes the configuration of the provider of that name. All providers of a rehearsal share one account and
// region.
func (c *Cloud) Configure(name string, config Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	config = decoded(config)
	region := text(config, "region")
	if region == "" {
		return errors.New("the aws provider has no region: set aws:region")
	}
	if _, ok := zones[region]; !ok {
		return fmt.Errorf("the offline cloud does not know the region %s; it knows %s", region,
			strings.Join(slices.Sorted(maps.Keys(zones)), ", "))
	}
	if c.region != "" && c.region != region {
		return fmt.Errorf("the offline cloud is in %s and a second provider asks for %s: it is one region of one account",
			c.region, region)
	}
	if err := c.identify(name, config); err != nil {
		return err
	}
	c.region, c.identity = region, identityOf(config)
	if tags, ok := get(config, "defaultTags.tags").(Object); ok {
		c.defaultTags = tags
	}
	return nil
}

// Check fills in what the provider fills in and refuses inputs that no state of the account could make good.
func (c *Cloud) Check(token, urn, name string, old, in Object) (Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := lookup(token)
	if err != nil {
		return nil, err
	}
	in = clone(in)
	for path, value := range t.Defaults {
		setDefault(in, strings.Split(path, "."), value)
	}
	if t.Tags && len(c.defaultTags) > 0 {
		switch tags := in["tags"].(type) {
		case nil:
			in["tags"] = clone(c.defaultTags)
		case Object:
			merged := clone(c.defaultTags)
			maps.Copy(merged, tags)
			in["tags"] = merged
		}
	}
	if t.Name != "" && in[t.Name] == nil && (t.NamePrefix == "" || in[t.NamePrefix] == nil) {
		if in[t.Name] = old[t.Name]; in[t.Name] == nil {
			in[t.Name] = strings.ToLower(name) + "-" + c.fresh(urn, "hex8")[:7]
		}
	}
	call := &Call{Cloud: c, Type: t, Name: name, URN: urn, In: in, Preview: true}
	call.Out = in
	return in, call.check()
}

func setDefault(in Object, path []string, value any) {
	if len(path) == 1 {
		if in[path[0]] == nil {
			in[path[0]] = cloneValue(value)
		}
		return
	}
	if child, ok := in[path[0]].(Object); ok {
		setDefault(child, path[1:], value)
	}
}

// Create makes a resource, or in a preview says what is known of it.
func (c *Cloud) Create(token, urn, name string, in Object, secrets []string, preview bool) (*Resource, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := lookup(token)
	if err != nil {
		return nil, err
	}
	call := &Call{Cloud: c, Type: t, Name: name, URN: urn, In: clone(in), Preview: preview}
	if err := errors.Join(call.check(), call.decide()); err != nil {
		return nil, err
	}
	fault := c.ask("create", call)
	if fault.Message != "" && !fault.Done {
		return nil, errors.New(fault.Message)
	}
	if t.Put && !preview {
		for _, r := range c.all(token) {
			if call.again(r) && (t.Name == "" || r.Inputs[t.Name] == call.In[t.Name]) {
				// The same resource, with the same id.
				if err := c.remove(r); err != nil {
					return nil, err
				}
				c.made[urn]--
			}
		}
	}
	call.Out = clone(call.In)
	call.Out["id"] = Unknown{}
	if id, ok := call.expand(t.ID).(string); ok {
		call.ID, call.Out["id"] = id, id
	}
	call.outputs()
	r := &Resource{Token: token, ID: call.ID, Name: name, URN: urn, Inputs: call.In, Outputs: call.Out,
		Secrets: slices.Concat(secrets, t.Secret), Lost: fault.Done}
	if preview {
		return r, nil
	}
	if other := c.resources[c.key(r)]; other != nil && !t.Overwrites {
		return nil, fail("AlreadyExists", "%s exists already", other.describe())
	}
	c.made[urn]++
	if err := c.put(r); err != nil {
		return nil, err
	}
	if fault.Message != "" {
		return nil, errors.New(fault.Message)
	}
	return r, call.Failed
}

func (c *Cloud) ask(verb string, call *Call) Fault {
	if c.fail == nil || call.Preview {
		return Fault{}
	}
	return c.fail(Operation{verb, call.Type.Token, call.Name, call.URN})
}

// outputs computes what the service computes.
func (c *Call) outputs() {
	switch {
	case c.Type.ARN == "":
	case c.Old != nil && !stable(c.Type.ARN):
		c.Out["arn"] = c.Old.Outputs["arn"]
	default:
		c.Out["arn"] = c.expand(c.Type.ARN)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Type.Outputs)) {
		if c.Out[name] != nil {
			continue
		}
		if template, ok := c.Type.Outputs[name].(string); ok {
			c.Out[name] = c.expand(template)
			continue
		}
		c.Out[name] = cloneValue(c.Type.Outputs[name])
	}
	if c.Type.Tags {
		if tags, ok := c.Out["tags"]; ok {
			c.Out["tagsAll"] = cloneValue(tags)
		}
	}
	if c.Type.After != nil {
		c.Type.After(c)
	}
}

// Read finds a resource, or returns nil. Properties say in which scope an id is looked for.
func (c *Cloud) Read(token, id string, properties Object) (*Resource, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := lookup(token); err != nil {
		return nil, err
	}
	r := c.resources[keyOf(token, id, properties)]
	if r == nil && len(properties) == 0 {
		// An import gives nothing but the id.
		for _, other := range c.all(token) {
			if other.ID == id {
				r = other
			}
		}
	}
	if r == nil {
		return nil, nil //nolint:nilnil // Pulumi's own convention for a resource that is gone.
	}
	copied := *r
	copied.Inputs, copied.Outputs = clone(r.Inputs), clone(r.Outputs)
	return &copied, nil
}

// Update changes a resource in place.
func (c *Cloud) Update(token, id string, old, in Object, secrets []string, preview bool) (*Resource, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := lookup(token)
	if err != nil {
		return nil, err
	}
	r := c.resources[keyOf(token, id, old)]
	if r == nil {
		return nil, fail("ResourceNotFound", "%s %s is gone; refresh the stack", kind(token), id)
	}
	call := &Call{Cloud: c, Type: t, Name: r.Name, URN: r.URN, ID: id, In: clone(in), Old: r, Preview: preview,
		Known: old}
	if err := errors.Join(call.check(), call.decide()); err != nil {
		return nil, err
	}
	fault := c.ask("update", call)
	if fault.Message != "" && !fault.Done {
		return nil, errors.New(fault.Message)
	}
	call.Out = clone(call.In)
	// What the service computed stays, unless it follows from an input.
	for k, v := range r.Outputs {
		if _, given := call.Out[k]; given {
			continue
		}
		if _, was := r.Inputs[k]; was {
			continue
		}
		if template, ok := t.Outputs[k].(string); ok && stable(template) {
			continue
		}
		call.Out[k] = cloneValue(v)
	}
	call.Out["id"] = id
	call.outputs()
	next := *r
	next.Inputs, next.Outputs, next.Secrets = call.In, call.Out, slices.Concat(secrets, t.Secret)
	if t.Earlier {
		next.Earlier = append(slices.Clone(r.Earlier), r.Inputs)
	}
	if preview {
		return &next, nil
	}
	if err := c.put(&next); err != nil {
		return nil, err
	}
	if fault.Message != "" {
		return nil, errors.New(fault.Message)
	}
	return &next, nil
}

// stable says that a template gives the same text whenever it is filled.
func stable(template string) bool {
	return !slices.ContainsFunc(generated, func(form string) bool { return strings.Contains(template, "{"+form+"}") })
}

// Delete removes a resource. One that is gone already is no error, as in the real provider.
func (c *Cloud) Delete(token, id string, properties Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := lookup(token)
	if err != nil {
		return err
	}
	r := c.resources[keyOf(token, id, properties)]
	if r == nil || r.Existing {
		return nil
	}
	call := &Call{Cloud: c, Type: t, Name: r.Name, URN: r.URN, ID: id, In: r.Inputs, Out: r.Outputs, Old: r}
	var wrong []error
	if holders := call.holders(); t.InUse != "" && len(holders) > 0 {
		names := make([]string, len(holders))
		for i, h := range holders {
			names[i] = h.describe()
		}
		wrong = append(wrong, fail(t.InUse, "%s is still used by %s", r.describe(), strings.Join(names, ", ")))
	}
	if t.Protection != "" && flag(r.Outputs, t.Protection) {
		wrong = append(wrong, fail("OperationNotPermitted", "%s is protected by %s", r.describe(), t.Protection))
	}
	for _, rule := range t.Deletable {
		wrong = append(wrong, rule(call))
	}
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	fault := c.ask("delete", call)
	if fault.Message != "" && !fault.Done {
		return errors.New(fault.Message)
	}
	if t.Stays != nil && t.Stays(r.Inputs) {
		left := *r
		left.Existing, left.URN = true, ""
		return c.put(&left)
	}
	if err := c.remove(r); err != nil {
		return err
	}
	if t.Deleted != nil {
		t.Deleted(call)
	}
	if fault.Message != "" {
		return errors.New(fault.Message)
	}
	return nil
}

// Replaces says whether a change of the input at a path needs a new resource.
func (t *Type) Replaces(path string, in Object) bool {
	plainPath := indexes.ReplaceAllString(path, "[]")
	hit := func(rule string) bool {
		return plainPath == rule || strings.HasPrefix(plainPath, rule+".") || strings.HasPrefix(plainPath, rule+"[") ||
			// A block that comes or goes takes the inputs in it along.
			strings.HasPrefix(rule, plainPath+".") || strings.HasPrefix(rule, plainPath+"[")
	}
	if slices.ContainsFunc(t.Replace, hit) {
		return true
	}
	for rule, when := range t.ReplaceWhen {
		if hit(rule) && when(in) {
			return true
		}
	}
	return false
}

// sameName says that old and new carry the same given name, so that the old one must go before the new one comes.
func (t *Type) sameName(old, in Object) bool {
	return t.Name != "" && old[t.Name] != nil && old[t.Name] == in[t.Name]
}

// Protected lists the resources that their service refuses to delete.
func (c *Cloud) Protected() []Resource {
	c.mu.Lock()
	defer c.mu.Unlock()
	var held []Resource
	for _, r := range c.live() {
		if t := table[r.Token]; t != nil && t.Protection != "" && flag(r.Outputs, t.Protection) {
			held = append(held, *r)
		}
	}
	return held
}

// Unprotect turns the services' deletion protection off, as an operator does before a stack's end.
func (c *Cloud) Unprotect() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.live() {
		t := table[r.Token]
		if t == nil || t.Protection == "" || !flag(r.Outputs, t.Protection) {
			continue
		}
		next := *r
		next.Inputs, next.Outputs = clone(r.Inputs), clone(r.Outputs)
		next.Inputs[t.Protection], next.Outputs[t.Protection] = false, false
		if err := c.put(&next); err != nil {
			return err
		}
	}
	return nil
}
