// Command crds prints Calico's custom resource definitions as one YAML stream, so that the
// cluster gets exactly the definitions that this build of Calico was compiled with.
package main

import (
	"fmt"
	"os"

	"github.com/projectcalico/calico/libcalico-go/config"
)

func main() {
	files, err := config.CRDFiles.ReadDir("crd")
	if err != nil {
		fmt.Fprintln(os.Stderr, "crds:", err)
		os.Exit(1)
	}
	for _, file := range files {
		text, err := config.CRDFiles.ReadFile("crd/" + file.Name())
		if err != nil {
			fmt.Fprintln(os.Stderr, "crds:", err)
			os.Exit(1)
		}
		fmt.Printf("---\n# %s\n%s\n", file.Name(), text)
	}
}
