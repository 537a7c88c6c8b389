// Answers with Talos' own code what it makes of machine configs, for the tests that compare the product with it.
// Each line on stdin is a request; each line on stdout is its answer. The version of Talos is the one that the module file requires.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/siderolabs/talos/pkg/machinery/config"
	"github.com/siderolabs/talos/pkg/machinery/config/configloader"
	"github.com/siderolabs/talos/pkg/machinery/config/configpatcher"
	"github.com/siderolabs/talos/pkg/machinery/config/encoder"
	"github.com/siderolabs/talos/pkg/machinery/config/validation"
)

type request struct {
	// "patch", "read", "validate" or "types"
	Do     string `json:"do"`
	Config string `json:"config"`
	Patch  string `json:"patch"`
	Strict bool   `json:"strict"`
}

type answer struct {
	// What Talos writes of the config that it read or patched.
	Config   string   `json:"config,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	// Each value of the documents by its path, and how a patch treats it.
	Types map[string]string `json:"types,omitempty"`
	Error string            `json:"error,omitempty"`
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		if err := out.Encode(answerTo(in.Bytes())); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answerTo(line []byte) (said answer) {
	// talosctl ends with a stack trace in these cases
	defer func() {
		if found := recover(); found != nil {
			said = answer{Error: fmt.Sprintf("panic: %v", found)}
		}
	}()
	var one request
	if err := json.Unmarshal(line, &one); err != nil {
		return answer{Error: err.Error()}
	}
	if err := do(one, &said); err != nil {
		said.Error = err.Error()
	}
	return said
}

func do(one request, said *answer) error {
	switch one.Do {
	case "patch":
		patch, err := configpatcher.LoadPatch([]byte(one.Patch))
		if err != nil {
			return err
		}
		patched, err := configpatcher.Apply(configpatcher.WithBytes([]byte(one.Config)), []configpatcher.Patch{patch})
		if err != nil {
			return err
		}
		text, err := patched.Bytes()
		if err != nil {
			return err
		}
		// what was patched is read again, as a node reads it
		provider, err := configloader.NewFromBytes(text)
		if err != nil {
			return fmt.Errorf("Talos cannot read its own result: %w", err)
		}
		return write(provider, said)
	case "read", "types", "validate":
		provider, err := configloader.NewFromBytes([]byte(one.Config))
		if err != nil {
			return err
		}
		switch one.Do {
		case "read":
			return write(provider, said)
		case "types":
			said.Types = typesOf(provider.Documents())
			return nil
		}
		options := []validation.Option{validation.WithLocal()}
		if one.Strict {
			options = append(options, validation.WithStrict())
		}
		said.Warnings, err = provider.Validate(metal{}, options...)
		return err
	default:
		return fmt.Errorf("unknown request %q", one.Do)
	}
}

func write(provider config.Provider, said *answer) error {
	text, err := provider.EncodeString(encoder.WithComments(encoder.CommentsDisabled))
	said.Config = text
	return err
}

// As talosctl's `--mode metal`.
type metal struct{}

func (metal) String() string        { return "metal" }
func (metal) RequiresInstall() bool { return true }
func (metal) InContainer() bool     { return false }
