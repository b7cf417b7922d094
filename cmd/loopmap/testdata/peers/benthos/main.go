// Command benthos is Benthos, the stream processor, with what benthos.yaml needs:
//
//	go build -mod=mod
package main

import (
	"context"

	_ "github.com/benthosdev/benthos/v4/public/components/crypto"
	_ "github.com/benthosdev/benthos/v4/public/components/io"
	_ "github.com/benthosdev/benthos/v4/public/components/pure"
	_ "github.com/benthosdev/benthos/v4/public/components/sql/base"
	"github.com/benthosdev/benthos/v4/public/service"
	_ "github.com/lib/pq"
	_ "modernc.org/sqlite"
)

func main() { service.RunCLI(context.Background()) }
