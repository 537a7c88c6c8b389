// Builds Flux Kustomizations with Flux's own module, for the test that compares the lint's reading with it.
// Each line on stdin is {"root", "kustomization"}; each line on stdout is what kustomize built, what substitution made of it, or the error.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type request struct {
	Root          string         `json:"root"`
	Kustomization map[string]any `json:"kustomization"`
}

type answer struct {
	Objects []map[string]any `json:"objects"`
	Built   []map[string]any `json:"built"`
	Error   string           `json:"error,omitempty"`
}

func main() {
	copies := map[string]string{}
	defer func() {
		for _, folder := range copies {
			os.RemoveAll(folder)
		}
	}()
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var one request
		var said answer
		if err := json.Unmarshal(in.Bytes(), &one); err != nil {
			said.Error = err.Error()
		} else if err := build(copies, one, &said); err != nil {
			said.Error = err.Error()
		}
		if err := out.Encode(said); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func build(copies map[string]string, one request, said *answer) error {
	root, err := copyOf(copies, one.Root)
	if err != nil {
		return err
	}
	kustomization := unstructured.Unstructured{Object: one.Kustomization}
	path, _, _ := unstructured.NestedString(one.Kustomization, "spec", "path")
	folder := filepath.Join(root, path)
	action, err := kustomize.NewGenerator(root, kustomization).WriteFile(folder, kustomize.WithSaveOriginalKustomization())
	if err != nil {
		return err
	}
	defer kustomize.CleanDirectory(folder, action)
	resources, err := kustomize.SecureBuild(root, folder, false)
	if err != nil {
		return err
	}
	for _, resource := range resources.Resources() {
		object, err := resource.Map()
		if err != nil {
			return err
		}
		said.Objects = append(said.Objects, object)
	}
	_, hasVariables, _ := unstructured.NestedMap(one.Kustomization, "spec", "postBuild")
	for _, resource := range resources.Resources() {
		if hasVariables {
			substituted, err := kustomize.SubstituteVariables(context.Background(), nil, kustomization, resource,
				kustomize.SubstituteWithDryRun(true), kustomize.SubstituteWithStrict(true))
			if err != nil {
				return fmt.Errorf("%s: %w", resource.CurId(), err)
			}
			if substituted != nil {
				resource = substituted
			}
		}
		object, err := resource.Map()
		if err != nil {
			return err
		}
		said.Built = append(said.Built, object)
	}
	return nil
}

// The generator writes beside the files that it reads: it gets a copy, one for all Kustomizations of a tree.
func copyOf(copies map[string]string, root string) (string, error) {
	if known, ok := copies[root]; ok {
		return known, nil
	}
	folder, err := os.MkdirTemp("", "kustomize-build-")
	if err != nil {
		return "", err
	}
	folder, err = filepath.EvalSymlinks(folder)
	if err != nil {
		return "", err
	}
	copies[root] = folder
	return folder, os.CopyFS(folder, onlyTree{os.DirFS(root)})
}

// What Git would not have is not copied.
type onlyTree struct{ fs.FS }

func (tree onlyTree) Open(name string) (fs.File, error) { return tree.FS.Open(name) }

func (tree onlyTree) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(tree.FS, name)
	kept := entries[:0]
	for _, entry := range entries {
		if entry.Name() == ".git" || entry.Name() == "node_modules" || !entry.IsDir() && !entry.Type().IsRegular() {
			continue
		}
		kept = append(kept, entry)
	}
	return kept, err
}
