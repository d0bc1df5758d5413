// Command crds prints Calico's custom resource definitions as one YAML stream,
// so that the cluster gets exactly the definitions that this build was compiled with.
package main

import (
	"fmt"
	"os"

	"github.com/projectcalico/calico/libcalico-go/config"
	"sigs.k8s.io/yaml"
)

func main() {
	crds, err := config.AllCRDs()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crds:", err)
		os.Exit(1)
	}
	for _, crd := range crds {
		text, err := yaml.Marshal(crd)
		if err != nil {
			fmt.Fprintln(os.Stderr, "crds:", crd.Name, err)
			os.Exit(1)
		}
		fmt.Printf("---\n%s", text)
	}
}
