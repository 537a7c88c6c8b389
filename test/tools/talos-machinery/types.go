package main

import (
	"encoding"
	"fmt"
	"reflect"
	"strings"

	"github.com/siderolabs/talos/pkg/machinery/config/config"
	"go.yaml.in/yaml/v4"
)

// A type that merges itself, as Talos' merge package looks for it.
type merger interface{ Merge(other any) error }

// The form of yaml.Unmarshaler that most types of Talos have.
type oldUnmarshaler interface {
	UnmarshalYAML(unmarshal func(any) error) error
}

var (
	mergerType  = reflect.TypeFor[merger]()
	yamlType    = reflect.TypeFor[yaml.Unmarshaler]()
	oldYamlType = reflect.TypeFor[oldUnmarshaler]()
	textType    = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// typesOf walks the Go types of the documents: "machine.sysctls" -> "map".
func typesOf(documents []config.Document) map[string]string {
	found := map[string]string{}
	for _, document := range documents {
		kind := document.Kind()
		walk(found, reflect.TypeOf(document).Elem(), kind, nil, false)
	}
	return found
}

func isInteger(of reflect.Type) bool {
	return of.Kind() >= reflect.Int && of.Kind() <= reflect.Uint64
}

// walk notes "pointer", "replaced" and the like with the kind of each value. A type inside itself is not walked again.
func walk(found map[string]string, of reflect.Type, path string, above []reflect.Type, replaced bool) {
	words := []string{}
	if replaced {
		words = append(words, "replaced")
	}
	if of.Kind() == reflect.Pointer {
		words = append(words, "pointer")
		of = of.Elem()
	}
	if reflect.PointerTo(of).Implements(mergerType) {
		words = append(words, "merger:"+of.Name())
	}
	if reflect.PointerTo(of).Implements(yamlType) || reflect.PointerTo(of).Implements(oldYamlType) {
		words = append(words, "yaml")
	} else if reflect.PointerTo(of).Implements(textType) {
		words = append(words, "text")
	}
	words = append(words, of.Kind().String())
	if strings.HasSuffix(of.PkgPath(), "/x509") {
		words = append(words, of.Name())
	}
	if of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Uint8 {
		words = append(words, "bytes")
	}
	if zero, ok := reflect.Zero(of).Interface().(fmt.Stringer); ok && isInteger(of) {
		words = append(words, "zero:"+zero.String())
	}
	said := strings.Join(words, " ")
	if already, ok := found[path]; ok && already != said {
		said = already + " | " + said
	}
	found[path] = said
	for _, one := range above {
		if one == of {
			return
		}
	}
	above = append(above, of)
	switch of.Kind() {
	case reflect.Struct:
		for i := range of.NumField() {
			field := of.Field(i)
			tag, has := field.Tag.Lookup("yaml")
			if !has {
				continue
			}
			name, rest, _ := strings.Cut(tag, ",")
			replace := strings.Contains(field.Tag.Get("merge"), "replace")
			switch {
			case name == "-":
			case name == "" && strings.Contains(rest, "inline"):
				inner := map[string]string{}
				walk(inner, field.Type, path, above, false)
				delete(inner, path)
				for at, what := range inner {
					found[at] = what
				}
			default:
				walk(found, field.Type, path+"."+name, above, replace)
			}
		}
	case reflect.Map:
		walk(found, of.Elem(), path+".*", above, false)
	case reflect.Slice:
		if of.Elem().Kind() != reflect.Uint8 {
			walk(found, of.Elem(), path+"[]", above, false)
		}
	}
}
