// Applies sets of objects with Flux's own module, in its stages, for the test that compares the lint's simulation with it.
// Each line on stdin is {"objects": […]}; each line on stdout names what was applied of them, and the error that ended it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

type request struct {
	Objects []map[string]any `json:"objects"`
}

type answer struct {
	Applied []string `json:"applied"`
	Error   string   `json:"error,omitempty"`
}

func main() {
	config := &rest.Config{QPS: 1000, Burst: 1000}
	flag.StringVar(&config.Host, "server", "", "URL of the API server")
	flag.StringVar(&config.CAFile, "ca", "", "file of its authority")
	flag.StringVar(&config.CertFile, "cert", "", "file of the client's certificate")
	flag.StringVar(&config.KeyFile, "key", "", "file of the client's key")
	flag.Parse()
	manager, err := managerFor(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, 1<<20), 1<<26)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		said := answer{Applied: []string{}}
		if err := apply(manager, in.Bytes(), &said); err != nil {
			said.Error = err.Error()
		}
		if err := out.Encode(said); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func managerFor(config *rest.Config) (*ssa.ResourceManager, error) {
	http, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	// the mapper asks again for a kind that it does not know, as the controller's does
	mapper, err := apiutil.NewDynamicRESTMapper(config, http)
	if err != nil {
		return nil, err
	}
	reader, err := client.New(config, client.Options{HTTPClient: http, Mapper: mapper, Scheme: runtime.NewScheme()})
	if err != nil {
		return nil, err
	}
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	return ssa.NewResourceManager(reader, polling.NewStatusPoller(reader, mapper, polling.Options{}), owner), nil
}

func apply(manager *ssa.ResourceManager, line []byte, said *answer) error {
	var one request
	if err := json.Unmarshal(line, &one); err != nil {
		return err
	}
	objects := make([]*unstructured.Unstructured, 0, len(one.Objects))
	for _, object := range one.Objects {
		objects = append(objects, &unstructured.Unstructured{Object: object})
	}
	options := ssa.DefaultApplyOptions()
	options.WaitInterval = 100 * time.Millisecond
	options.WaitTimeout = 20 * time.Second
	changes, err := manager.ApplyAllStaged(context.Background(), objects, options)
	if changes != nil {
		for _, entry := range changes.Entries {
			said.Applied = append(said.Applied, entry.Subject)
		}
	}
	return err
}
