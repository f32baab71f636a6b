package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// A write of MongoDB to one document is atomic. FerretDB 1.24 reads what a filter finds and then writes, and between
// the two another connection can write as well. This stands before it and lets writes through one at a time.
type front struct {
	server string
	write  sync.Mutex
}

var writes = map[string]bool{
	"insert": true, "update": true, "delete": true, "findAndModify": true,
	"create": true, "createIndexes": true, "drop": true, "dropDatabase": true,
}

func (f *front) serve(ctx context.Context, listener net.Listener) error {
	context.AfterFunc(ctx, func() { listener.Close() })
	for {
		client, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go f.relay(client)
	}
}

// What goes wrong here ends the connection, which is what a client sees of any server that is in trouble.
func (f *front) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", f.server)
	if err != nil {
		return
	}
	defer server.Close()
	for {
		request, err := readMessage(client)
		if err != nil {
			return
		}
		answer, err := f.ask(server, request)
		if err != nil {
			return
		}
		if _, err := client.Write(answer); err != nil {
			return
		}
	}
}

// The answer is empty when the client wants none.
func (f *front) ask(server net.Conn, request []byte) ([]byte, error) {
	if writes[commandOf(request)] {
		f.write.Lock()
		defer f.write.Unlock()
	}
	if _, err := server.Write(request); err != nil {
		return nil, err
	}
	if wantsNoAnswer(request) {
		return nil, nil
	}
	return readMessage(server)
}

const (
	headerBytes     = 16
	opcodeAt        = 12
	commandMessage  = 2013
	moreToCome      = 1 << 1
	nameAt          = headerBytes + 10 // flags, kind of section, length of the document, type of its first field
	messageBytesMax = 48_000_000
)

func readMessage(from io.Reader) ([]byte, error) {
	header := make([]byte, headerBytes)
	if _, err := io.ReadFull(from, header); err != nil {
		return nil, err
	}
	length := binary.LittleEndian.Uint32(header)
	if length < headerBytes || length > messageBytesMax {
		return nil, fmt.Errorf("a message of %d bytes", length)
	}
	message := make([]byte, length)
	copy(message, header)
	_, err := io.ReadFull(from, message[headerBytes:])
	return message, err
}

func isCommand(message []byte) bool {
	return binary.LittleEndian.Uint32(message[opcodeAt:]) == commandMessage && len(message) > nameAt
}

// The name of a command is its first field.
func commandOf(message []byte) string {
	if !isCommand(message) {
		return ""
	}
	for end := nameAt; end < len(message); end++ {
		if message[end] == 0 {
			return string(message[nameAt:end])
		}
	}
	return ""
}

func wantsNoAnswer(message []byte) bool {
	return isCommand(message) && binary.LittleEndian.Uint32(message[headerBytes:])&moreToCome != 0
}
