// Answers with the Image Factory's own code what it makes of schematics, for the tests that compare the product with it.
// Each line on stdin is {"schematic"}; each line on stdout is the id and the text that it is the hash of, or the error.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/siderolabs/image-factory/pkg/schematic"
)

type answer struct {
	ID    string `json:"id,omitempty"`
	Text  string `json:"text,omitempty"`
	Error string `json:"error,omitempty"`
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

func answerTo(line []byte) answer {
	var request struct {
		Schematic string `json:"schematic"`
	}
	if err := json.Unmarshal(line, &request); err != nil {
		return answer{Error: err.Error()}
	}
	read, err := schematic.Unmarshal([]byte(request.Schematic))
	if err != nil {
		return answer{Error: err.Error()}
	}
	if err := read.Validate(false); err != nil {
		return answer{Error: err.Error()}
	}
	text, err := read.Marshal()
	if err != nil {
		return answer{Error: err.Error()}
	}
	id, err := read.ID()
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{ID: id, Text: string(text)}
}
