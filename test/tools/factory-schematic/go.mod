module homeops.tools

go 1.26.6

tool homeops.tools

require github.com/siderolabs/image-factory v1.4.0

require (
	github.com/siderolabs/gen v0.8.8 // indirect
	github.com/siderolabs/talos/pkg/machinery v1.14.1 // indirect
	go.yaml.in/yaml/v4 v4.0.0-rc.6 // indirect
)
