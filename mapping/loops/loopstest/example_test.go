package loopstest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"loopmap/mapping/loops/loopstest"
)

// A client's first try meets a 503, its second one takes effect.
func Example() {
	s := loopstest.New(loopstest.Options{})
	defer s.Close()
	s.Fail(loopstest.Failure{Status: http.StatusServiceUnavailable})
	web := httptest.NewServer(s)
	defer web.Close()

	for range 2 {
		q, err := http.NewRequest("PUT", web.URL+"/v1/contacts/update", strings.NewReader(`{"email":"ada@x.example","teamSize":12}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		q.Header.Set("Authorization", "Bearer "+loopstest.DefaultKey)
		q.Header.Set("Content-Type", "application/json")
		p, err := http.DefaultClient.Do(q)
		if err != nil {
			fmt.Println(err)
			return
		}
		p.Body.Close()
	}
	for _, c := range s.Calls() {
		fmt.Println(c.Method, c.Path, c.Status, c.Applied)
	}
	contact, _ := s.Contact("ada@x.example")
	fmt.Printf("%s\n", contact.Values["teamSize"])
	// Output:
	// PUT /v1/contacts/update 503 false
	// PUT /v1/contacts/update 200 true
	// 12
}
