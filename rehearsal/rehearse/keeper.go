package rehearse

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// secretsProvider is the engine's secrets provider for the stack. It asks a keeper for the key of a state once a command. From a
// passphrase, each command would derive the key with a million rounds of PBKDF2.
const secretsProvider = "hashivault://rehearsal"

// keeper answers the two calls of Vault's transit engine that the secrets provider makes. It wraps the key of a state without
// a secret, so that any session can read any other's state: secrets of a rehearsal are as secret as its directory.
type keeper struct {
	server http.Server
	url    string
}

// wrapped begins a ciphertext of Vault.
const wrapped = "vault:v1:"

func newKeeper() (*keeper, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting the keeper of the state's key: %w", err)
	}
	k := &keeper{url: "http://" + listener.Addr().String()}
	k.server.Handler, k.server.ReadHeaderTimeout = http.HandlerFunc(answer), time.Minute
	go func() { _ = k.server.Serve(listener) }()
	return k, nil
}

// environment leads the secrets provider to the keeper.
func (k *keeper) environment() map[string]string {
	return map[string]string{"VAULT_SERVER_URL": k.url, "VAULT_SERVER_TOKEN": "rehearsal"}
}

func (k *keeper) close() error {
	if k == nil {
		return nil
	}
	return k.server.Close()
}

func answer(w http.ResponseWriter, r *http.Request) {
	var in struct{ Plaintext, Ciphertext string }
	err := json.NewDecoder(r.Body).Decode(&in)
	out := map[string]string{}
	switch call := strings.TrimPrefix(r.URL.Path, "/v1/transit/"); {
	case err != nil:
	case call == "encrypt/rehearsal":
		out["ciphertext"] = wrapped + in.Plaintext
	case call == "decrypt/rehearsal":
		out["plaintext"] = strings.TrimPrefix(in.Ciphertext, wrapped)
		_, err = base64.StdEncoding.DecodeString(out["plaintext"])
	default:
		err = errors.New("unknown call " + r.URL.Path)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": out})
}
