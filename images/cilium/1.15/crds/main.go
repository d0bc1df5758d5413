// Command crds prints Cilium's custom resource definitions as one YAML stream, so that the cluster
// gets exactly the definitions that this build of Cilium was compiled with. It stands in for the
// part of Cilium's operator that registers them.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/cilium/cilium/pkg/k8s/apis/cilium.io/client"
	"sigs.k8s.io/yaml"
)

func main() {
	known := client.CustomResourceDefinitionList()
	for _, key := range slices.Sorted(maps.Keys(known)) {
		crd := client.GetPregeneratedCRD(known[key].Name)
		text, err := yaml.Marshal(map[string]any{
			"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
			"metadata": map[string]string{"name": known[key].FullName}, "spec": crd.Spec,
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, "crds:", err)
			os.Exit(1)
		}
		fmt.Printf("---\n%s", text)
	}
}
