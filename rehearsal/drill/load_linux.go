package drill

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/wso2is-aws/wso2is/rehearsal/drill/cluster"
)

// sent is a request and its result.
type sent struct {
	client   int
	at       time.Time
	node     string
	good     bool
	problem  string
	finished time.Time
}

// load are the clients: one without a cookie, and one for each node with a cookie that names it.
type load struct {
	mu   sync.Mutex
	all  []sent
	stop chan struct{}
	done sync.WaitGroup
	once sync.Once
}

// pace is the time between a client's requests, and most the longest time for one.
const (
	pace = 200 * time.Millisecond
	most = 5 * time.Minute
)

func (d *driller) load() *load {
	l := &load{stop: make(chan struct{})}
	cookies := []string{""}
	for _, n := range d.Nodes {
		cookies = append(cookies, n.Name)
	}
	for client, cookie := range cookies {
		l.done.Go(func() { l.run(d.Cluster, d.page(), client, cookie) })
	}
	return l
}

// page is what clients ask for. The product's own first page redirects to another one.
func (d *driller) page() string {
	if d.Product != "" {
		return d.Balancer.Check.Path
	}
	return "/"
}

func (l *load) run(c *cluster.Cluster, page string, client int, cookie string) {
	end := time.After(most)
	for turn := client; ; turn++ {
		one := sent{client: client, at: time.Now()}
		a := c.Ask(turn, "GET", page, cookie)
		one.finished, one.node, one.good = time.Now(), a.Node, a.Err == nil && a.Status == 200
		if !one.good {
			one.problem = fmt.Sprint(a.Status, " ", a.Err)
		}
		// Like a browser, the client keeps the cookie that it gets.
		if cookie != "" && a.Cookie != "" {
			cookie = a.Cookie
		}
		l.mu.Lock()
		l.all = append(l.all, one)
		l.mu.Unlock()
		select {
		case <-l.stop:
			return
		case <-end:
			return
		case <-time.After(pace):
		}
	}
}

func (l *load) end() {
	l.once.Do(func() { close(l.stop) })
	l.done.Wait()
}

// count ends the load and adds its numbers to a trial.
func (l *load) count(t *Trial) {
	l.end()
	t.Requests, t.Failed = len(l.all), len(l.failed())
}

// failed returns the requests without a good answer. The load has ended.
func (l *load) failed() []sent {
	return slices.DeleteFunc(slices.Clone(l.all), func(one sent) bool { return one.good })
}

// served reports whether a node other than but answered every request since a time.
func (l *load) served(since time.Time, but string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, one := range l.all {
		if one.at.Before(since) {
			continue
		}
		n++
		if !one.good {
			return fmt.Errorf("a request failed after the load balancer had given up %s: %s", but, one.problem)
		}
		if one.node == but {
			return fmt.Errorf("%s still answers", but)
		}
	}
	if n == 0 {
		return fmt.Errorf("no client asked after the load balancer had given up %s", but)
	}
	return nil
}

// gap is the longest time in which one client got no good answer.
func (l *load) gap() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	longest, last := time.Duration(0), map[int]time.Time{}
	sorted := slices.SortedFunc(slices.Values(l.all), func(a, b sent) int { return a.finished.Compare(b.finished) })
	for _, one := range sorted {
		if !one.good {
			continue
		}
		if before, ok := last[one.client]; ok {
			longest = max(longest, one.finished.Sub(before))
		}
		last[one.client] = one.finished
	}
	return longest
}
