// A Kubernetes API server for tests: Kubernetes' own apiserver and apiextensions libraries over a
// real etcd. No controllers, no kubelet, no RBAC: one token with all rights, one that may only read.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	gonet "net"
	"net/http"
	"net/url"
	"os"
	"strings"

	nooptrace "go.opentelemetry.io/otel/trace/noop"
	apidiscv2 "k8s.io/api/apidiscovery/v2"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	extserver "k8s.io/apiextensions-apiserver/pkg/apiserver"
	extoptions "k8s.io/apiextensions-apiserver/pkg/cmd/server/options"
	extopenapi "k8s.io/apiextensions-apiserver/pkg/generated/openapi"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apiserver/pkg/authentication/request/bearertoken"
	"k8s.io/apiserver/pkg/authentication/token/tokenfile"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	discoveryendpoint "k8s.io/apiserver/pkg/endpoints/discovery/aggregated"
	openapinamer "k8s.io/apiserver/pkg/endpoints/openapi"
	genericapiserver "k8s.io/apiserver/pkg/server"
	genericoptions "k8s.io/apiserver/pkg/server/options"
	"k8s.io/apiserver/pkg/storage/storagebackend"
	"k8s.io/apiserver/pkg/util/webhook"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
	netutils "k8s.io/utils/net"

	"kapi/gen"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "kapi:", err)
		os.Exit(1)
	}
}

type noServices struct{}

func (noServices) ResolveEndpoint(ns, name string, port int32) (*url.URL, error) {
	return nil, fmt.Errorf("no webhook services in this test server")
}

// legacyAPIs answers un-aggregated GET /apis (old discovery, e.g. Python clients) with built-in + CRD groups.
func legacyAPIs(h http.Handler, m discoveryendpoint.ResourceManager) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.Path) > 1 && strings.HasSuffix(r.URL.Path, "/") { // generated Python client asks /version/, /apis/apps/v1/
			r = r.Clone(r.Context())
			r.URL.Path = strings.TrimSuffix(r.URL.Path, "/")
		}
		if strings.TrimSuffix(r.URL.Path, "/") != "/apis" || strings.Contains(r.Header.Get("Accept"), "APIGroupDiscoveryList") {
			h.ServeHTTP(w, r)
			return
		}
		rr := r.Clone(r.Context())
		rr.Header.Set("Accept", "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
		rr.Header.Del("If-None-Match")
		rr.Header.Del("Accept-Encoding")
		b := &buf{h: http.Header{}}
		m.ServeHTTP(b, rr)
		var l apidiscv2.APIGroupDiscoveryList
		must(json.Unmarshal(b.b, &l))
		out := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}, Groups: []metav1.APIGroup{}}
		for _, g := range l.Items {
			ag := metav1.APIGroup{Name: g.Name}
			for _, v := range g.Versions {
				ag.Versions = append(ag.Versions, metav1.GroupVersionForDiscovery{GroupVersion: g.Name + "/" + v.Version, Version: v.Version})
			}
			if len(ag.Versions) > 0 {
				ag.PreferredVersion = ag.Versions[0]
				out.Groups = append(out.Groups, ag)
			}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(out)
	})
}

type buf struct {
	h http.Header
	b []byte
}

func (b *buf) Header() http.Header         { return b.h }
func (b *buf) Write(p []byte) (int, error) { b.b = append(b.b, p...); return len(p), nil }
func (b *buf) WriteHeader(int)             {}

func main() {
	etcd := flag.String("etcd", "http://127.0.0.1:23790", "etcd client URL")
	port := flag.Int("port", 16443, "TLS port on 127.0.0.1")
	certs := flag.String("cert-dir", "", "where the self-signed certificate is written")
	admin := flag.String("token", "admin-token", "bearer token with all rights")
	viewer := flag.String("viewer-token", "viewer-token", "bearer token that may only read")
	flag.Parse()
	setup()
	ctx := genericapiserver.SetupSignalContext()

	codecs := serializer.NewCodecFactory(scheme)
	gvs := []schema.GroupVersion{}
	for _, k := range kinds {
		gvs = append(gvs, k.gv)
	}
	run := genericoptions.NewServerRunOptions()
	must(run.ComponentGlobalsRegistry.Set())
	must(run.Complete())
	cfg := genericapiserver.NewRecommendedConfig(codecs)
	must(run.ApplyTo(&cfg.Config))
	cfg.ExternalAddress = fmt.Sprintf("127.0.0.1:%d", *port)

	serve := genericoptions.NewSecureServingOptions()
	serve.BindAddress, serve.BindPort = netutils.ParseIPSloppy("127.0.0.1"), *port
	serve.ServerCert.CertDirectory, serve.ServerCert.PairName = *certs, "kapi"
	must(serve.MaybeDefaultWithSelfSignedCerts("localhost", nil, []gonet.IP{netutils.ParseIPSloppy("127.0.0.1")}))
	must(serve.WithLoopback().ApplyTo(&cfg.SecureServing, &cfg.LoopbackClientConfig))

	cfg.Authentication.Authenticator = bearertoken.New(tokenfile.New(map[string]*user.DefaultInfo{
		*admin:  {Name: "admin", Groups: []string{"system:masters", "system:authenticated"}},
		*viewer: {Name: "viewer", Groups: []string{"system:authenticated"}},
	}))
	cfg.Authorization.Authorizer = authorizer.AuthorizerFunc(func(_ context.Context, a authorizer.Attributes) (authorizer.Decision, string, error) {
		if a.GetUser().GetName() == "viewer" && !(a.IsReadOnly()) {
			return authorizer.DecisionDeny, "viewer may only read", nil
		}
		return authorizer.DecisionAllow, "", nil
	})

	cfg.AdmissionControl = &gate{cfg.LoopbackClientConfig}

	back := storagebackend.NewDefaultConfig("/registry", codecs.LegacyCodec(gvs...))
	back.Transport.ServerList = []string{*etcd}
	eo := genericoptions.NewEtcdOptions(back)
	must(eo.ApplyTo(&cfg.Config))

	mgr := discoveryendpoint.NewResourceManager("apis")
	cfg.AggregatedDiscoveryGroupManager = mgr
	namer := openapinamer.NewDefinitionNamer(scheme)
	cfg.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(gen.GetOpenAPIDefinitions, namer)
	cfg.OpenAPIConfig.Info.Title = "kapi"
	cfg.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(gen.GetOpenAPIDefinitions, namer)
	cfg.OpenAPIV3Config.Info.Title = "kapi"

	// apiextensions-apiserver (CRDs), as delegate
	extGeneric := *cfg
	extGeneric.PostStartHooks = map[string]genericapiserver.PostStartHookConfigEntry{}
	extBack := storagebackend.NewDefaultConfig("/registry", extserver.Codecs.LegacyCodec(extv1.SchemeGroupVersion))
	extBack.Transport.ServerList = []string{*etcd}
	extEtcd := genericoptions.NewEtcdOptions(extBack)
	must(extEtcd.ApplyTo(&extGeneric.Config))
	extGeneric.Serializer = extserver.Codecs
	extGeneric.MergedResourceConfig = extserver.DefaultAPIResourceConfigSource()
	extNamer := openapinamer.NewDefinitionNamer(extserver.Scheme, clientscheme.Scheme)
	extGeneric.OpenAPIConfig = genericapiserver.DefaultOpenAPIConfig(extopenapi.GetOpenAPIDefinitions, extNamer)
	extGeneric.OpenAPIV3Config = genericapiserver.DefaultOpenAPIV3Config(extopenapi.GetOpenAPIDefinitions, extNamer)
	ext, err := (&extserver.Config{
		GenericConfig: &extGeneric,
		ExtraConfig: extserver.ExtraConfig{
			CRDRESTOptionsGetter: extoptions.NewCRDRESTOptionsGetter(*extEtcd, extGeneric.ResourceTransformers, extGeneric.StorageObjectCountTracker),
			MasterCount:          1,
			ServiceResolver:      noServices{},
			AuthResolverWrapper:  webhook.NewDefaultAuthenticationInfoResolverWrapper(nil, nil, extGeneric.LoopbackClientConfig, nooptrace.NewTracerProvider()),
		},
	}).Complete().New(genericapiserver.NewEmptyDelegate())
	must(err)

	cfg.BuildHandlerChainFunc = func(h http.Handler, c *genericapiserver.Config) http.Handler {
		return genericapiserver.DefaultBuildHandlerChain(legacyAPIs(h, mgr), c)
	}
	srv, err := cfg.Complete().New("kapi", ext.GenericAPIServer)
	must(err)
	for gv, st := range storages(cfg.RESTOptionsGetter) {
		info := genericapiserver.NewDefaultAPIGroupInfo(gv.Group, scheme, runtime.NewParameterCodec(scheme), codecs)
		info.PrioritizedVersions = []schema.GroupVersion{gv}
		info.VersionedResourcesStorageMap[gv.Version] = st
		if gv.Group == "" {
			must(srv.InstallLegacyAPIGroup("/api", &info))
		} else {
			must(srv.InstallAPIGroup(&info))
		}
	}
	prepared := srv.PrepareRun()
	// CRD schemas are published in the front server's OpenAPI
	ext.GenericAPIServer.StaticOpenAPISpec = srv.StaticOpenAPISpec
	ext.GenericAPIServer.OpenAPIVersionedService = srv.OpenAPIVersionedService
	ext.GenericAPIServer.OpenAPIV3VersionedService = srv.OpenAPIV3VersionedService
	must(prepared.RunWithContext(ctx))
}
