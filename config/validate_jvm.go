package config

import (
	"fmt"
	"regexp"
)

var (
	jvmOption  = regexp.MustCompile(`^-[A-Za-z][A-Za-z0-9_.,:=/+@%~-]*$`)
	heapOption = regexp.MustCompile(`^-Xm[sx]|^-XX:(Initial|Min|Max)(RAMPercentage|HeapSize)`)
)

func (v *validator) jvm() {
	for i, option := range v.JVM.Options {
		path := fmt.Sprintf("jvm.options[%d]", i)
		switch {
		case !jvmOption.MatchString(option):
			v.refuse(path, "write one option, without blanks and quotes, such as -Duser.timezone=UTC", "%q is no JVM option",
				option)
		case heapOption.MatchString(option):
			v.refuse(path, "write jvm.heap", "%s sizes the heap, which has its own key", option)
		case proxyProperty.MatchString(option):
			v.refuse(path, "write network.proxy", "%s names a proxy, which has its own key", option)
		}
	}
}
