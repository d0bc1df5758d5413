// Command crds prints Cilium's custom resource definitions as one YAML stream, so that the cluster
// gets exactly the definitions that this build of Cilium was compiled with. It stands in for the
// part of Cilium's operator that registers them.
package main

import (
	"fmt"
	"log/slog"
	"maps"
	"os"
	"slices"

	"github.com/cilium/cilium/pkg/k8s/apis/cilium.io/client"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	known := client.CustomResourceDefinitionList()
	for _, key := range slices.Sorted(maps.Keys(known)) {
		crd := client.GetPregeneratedCRD(slog.Default(), known[key].Name)
		crd.ObjectMeta = metav1.ObjectMeta{Name: known[key].FullName}
		crd.TypeMeta = metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"}
		text, err := yaml.Marshal(map[string]any{
			"apiVersion": crd.APIVersion, "kind": crd.Kind,
			"metadata": map[string]string{"name": crd.Name}, "spec": crd.Spec,
		})
		if err != nil {
			fmt.Fprintln(os.Stderr, "crds:", err)
			os.Exit(1)
		}
		fmt.Printf("---\n%s", text)
	}
}
