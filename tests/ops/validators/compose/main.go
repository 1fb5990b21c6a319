// compose reads Compose files the way `docker compose config` does, with the Compose reference parser, and prints
// the resulting model as JSON: an unknown key, a wrong type or a reference to nothing is an error.
//
// usage: compose [-env FILE] [-profiles a,b] FILE [OVERRIDE...]
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	envFile := flag.String("env", "", "file with variables")
	profiles := flag.String("profiles", "*", "profiles to enable, * is all")
	flag.Parse()
	if err := printModel(flag.Args(), *envFile, strings.Split(*profiles, ",")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func printModel(files []string, envFile string, profiles []string) error {
	steps := []cli.ProjectOptionsFn{}
	if envFile != "" {
		steps = append(steps, cli.WithEnvFiles(envFile), cli.WithDotEnv)
	}
	steps = append(steps, cli.WithProfiles(profiles))
	options, err := cli.NewProjectOptions(files, steps...)
	if err != nil {
		return err
	}
	project, err := options.LoadProject(context.Background())
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(project, "", "  ")
	if err != nil {
		return err
	}
	fmt.Println(string(text))
	return nil
}
