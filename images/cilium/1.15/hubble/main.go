// Command hubble prints the flows of the agent's Hubble as lines of JSON, as Hubble's own command
// does with --output=json. From 1.16 on, that command is a part of Cilium's module; the module of
// the command that goes with 1.15 cannot be had from everywhere. Of `hubble observe` it has the
// options that policylab uses.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cilium/cilium/api/v1/flow"
	"github.com/cilium/cilium/api/v1/observer"
	"github.com/cilium/cilium/pkg/monitor/api"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/timestamppb"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "hubble:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) == 0 || words[0] != "observe" {
		return errors.New("the only verb here is `observe`")
	}
	options := flag.NewFlagSet("observe", flag.ContinueOnError)
	server := options.String("server", "unix:///var/run/cilium/hubble.sock", "where Hubble listens")
	kind := options.String("type", "drop", "the type of the flows; only drop is known here")
	output := options.String("output", "json", "the form of the output; only json is known here")
	since := options.String("since", "", "the time (RFC 3339) of the first flow")
	if err := options.Parse(words[1:]); err != nil {
		return err
	}
	if *kind != "drop" || *output != "json" {
		return errors.New("this command knows --type=drop and --output=json only")
	}
	first, err := time.Parse(time.RFC3339Nano, *since)
	if err != nil {
		return err
	}
	way, err := grpc.NewClient(*server, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer way.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	asked := &observer.GetFlowsRequest{
		Since: timestamppb.New(first),
		Whitelist: []*flow.FlowFilter{
			{EventType: []*flow.EventTypeFilter{{Type: api.MessageTypeDrop}}},
		},
	}
	answers, err := observer.NewObserverClient(way).GetFlows(ctx, asked)
	if err != nil {
		return err
	}
	form := protojson.MarshalOptions{UseProtoNames: true}
	for {
		answer, err := answers.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		line, err := form.Marshal(answer)
		if err != nil {
			return err
		}
		fmt.Println(string(line))
	}
}
