package config

func (v *validator) trust() { v.artifact("trust.caBundle", v.Trust.CABundle) }
