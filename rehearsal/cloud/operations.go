package cloud

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// Check fills in the provider's defaults and refuses inputs that are invalid in every state of the account.
func (c *Cloud) Check(token, urn, name string, old, in Object) (Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.typeOf(token)
	if err != nil {
		return nil, err
	}
	c.meet(t, name)
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

// Create makes a resource. In a preview it returns the known part of it.
func (c *Cloud) Create(token, urn, name string, in Object, secrets []string, preview bool) (*Resource, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.typeOf(token)
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
			if call.repeatsLostCall(r) && (t.Name == "" || r.Inputs[t.Name] == call.In[t.Name]) {
				// It becomes the same resource with the same id.
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
		Secrets: slices.Concat(secrets, t.Secret), Lost: fault.Done, Contents: call.Contents}
	if preview {
		return r, nil
	}
	if other := c.of(token).resources[c.key(r)]; other != nil && !t.Overwrites {
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

// outputs computes the service's outputs.
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

// Read finds a resource, or returns nil. Properties name the scope of the id.
func (c *Cloud) Read(token, id string, properties Object) (*Resource, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := c.typeOf(token); err != nil {
		return nil, err
	}
	r := c.of(token).resources[keyOf(token, id, properties)]
	if r == nil && len(properties) == 0 {
		// An import has nothing but the id.
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
	t, err := c.typeOf(token)
	if err != nil {
		return nil, err
	}
	r := c.of(token).resources[keyOf(token, id, old)]
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
	// Outputs of the service stay, unless they follow from an input.
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

// Delete deletes a resource. A missing resource is no error, as in the real provider.
func (c *Cloud) Delete(token, id string, properties Object) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t, err := c.typeOf(token)
	if err != nil {
		return err
	}
	r := c.of(token).resources[keyOf(token, id, properties)]
	if r == nil || r.Existing {
		return nil
	}
	call := &Call{Cloud: c, Type: t, Name: r.Name, URN: r.URN, ID: id, In: r.Inputs, Out: r.Outputs, Old: r}
	var wrong []error
	if holders := call.dependents(); t.InUse != "" && len(holders) > 0 {
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
		if err := c.put(&left); err != nil {
			return err
		}
	} else if err := c.remove(r); err != nil {
		return err
	} else if t.Deleted != nil {
		t.Deleted(call)
	}
	if fault.Message != "" {
		return errors.New(fault.Message)
	}
	return nil
}

// Replaces reports whether a change of the input at a path needs a new resource.
func (t *Type) Replaces(path string, in Object) bool {
	plainPath := indexes.ReplaceAllString(path, "[]")
	hit := func(rule string) bool {
		return plainPath == rule || strings.HasPrefix(plainPath, rule+".") || strings.HasPrefix(plainPath, rule+"[") ||
			// A new or deleted block changes all inputs in it.
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

// sameName reports whether old and new have the same given name, so that the old one must be deleted before the new one
// is created.
func (t *Type) sameName(old, in Object) bool {
	return t.Name != "" && old[t.Name] != nil && old[t.Name] == in[t.Name]
}
