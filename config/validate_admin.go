package config

import (
	"regexp"
)

var userName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{2,29}$`)

func (v *validator) admin() {
	if !userName.MatchString(v.Admin.Username) {
		v.refuse("admin.username", "write 3 to 30 letters, digits and ._@- that begin with a letter or digit",
			"%q cannot name the administrator", v.Admin.Username)
	}
	v.secretText("admin.password", v.Admin.Password, 8, 64)
}
