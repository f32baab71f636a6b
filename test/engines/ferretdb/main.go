// A MongoDB server for tests: FerretDB over SQLite, in one process, on this machine only.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

const parentCheckMillis = 250

func main() {
	listen := flag.String("listen", "127.0.0.1:0", "address; port 0 takes a free one")
	data := flag.String("data", "", "folder of the databases; made if it does not exist")
	flag.Parse()
	if err := serve(*listen, *data); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(address, data string) error {
	folder, err := folderOf(data)
	if err != nil {
		return err
	}
	socket := filepath.Join(folder, "ferretdb.sock")
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{Unix: socket},
		Logger:    slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
		Handler:   "sqlite",
		SQLiteURL: uriOf(folder),
	})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	go stopWithParent(os.Getppid(), stop)
	go (&front{server: socket}).serve(ctx, listener)
	// Asking for its address waits until the server runs.
	go func() {
		server.MongoDBURI()
		fmt.Printf("mongodb://%s/\n", listener.Addr())
	}()
	return server.Run(ctx)
}

func folderOf(data string) (string, error) {
	if data == "" {
		return "", fmt.Errorf("-data names the folder of the databases")
	}
	folder, err := filepath.Abs(data)
	if err != nil {
		return "", err
	}
	return folder, os.MkdirAll(folder, 0o700)
}

// Databases live as long as one test run, so nothing waits for the disk.
func uriOf(folder string) string {
	uri := url.URL{Scheme: "file", OmitHost: true, Path: folder + "/", RawQuery: "_pragma=synchronous(off)"}
	return uri.String()
}

// A process whose parent is gone is given another one.
func stopWithParent(parent int, stop func()) {
	for os.Getppid() == parent {
		time.Sleep(parentCheckMillis * time.Millisecond)
	}
	stop()
}
