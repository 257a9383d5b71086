// Storage of the kinds in etcd, with the subresources status and scale.
package main

import (
	"context"

	appsv1 "k8s.io/api/apps/v1"
	autov1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/registry/generic"
	"k8s.io/apiserver/pkg/registry/generic/registry"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type statusREST struct{ s *registry.Store }

func (r *statusREST) New() runtime.Object { return r.s.New() }
func (r *statusREST) Destroy()            {}
func (r *statusREST) Get(ctx context.Context, n string, o *metav1.GetOptions) (runtime.Object, error) {
	return r.s.Get(ctx, n, o)
}
func (r *statusREST) Update(ctx context.Context, n string, i rest.UpdatedObjectInfo, cv rest.ValidateObjectFunc, uv rest.ValidateObjectUpdateFunc, _ bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	return r.s.Update(ctx, n, i, cv, uv, false, o)
}
func (r *statusREST) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	return r.s.GetResetFields()
}

// scaleREST serves deployments/scale as autoscaling/v1 Scale.
type scaleREST struct{ s *registry.Store }

func (r *scaleREST) GroupVersionKind(schema.GroupVersion) schema.GroupVersionKind {
	return autov1.SchemeGroupVersion.WithKind("Scale")
}
func (r *scaleREST) New() runtime.Object { return &autov1.Scale{} }
func (r *scaleREST) Destroy()            {}
func toScale(d *appsv1.Deployment) *autov1.Scale {
	sel, _ := metav1.LabelSelectorAsSelector(d.Spec.Selector)
	sc := &autov1.Scale{Status: autov1.ScaleStatus{Replicas: d.Status.Replicas, Selector: sel.String()}}
	sc.Name, sc.Namespace, sc.UID, sc.ResourceVersion, sc.CreationTimestamp = d.Name, d.Namespace, d.UID, d.ResourceVersion, d.CreationTimestamp
	if d.Spec.Replicas != nil {
		sc.Spec.Replicas = *d.Spec.Replicas
	}
	return sc
}
func (r *scaleREST) Get(ctx context.Context, n string, o *metav1.GetOptions) (runtime.Object, error) {
	x, err := r.s.Get(ctx, n, o)
	if err != nil {
		return nil, err
	}
	return toScale(x.(*appsv1.Deployment)), nil
}

type scaleInfo struct{ in rest.UpdatedObjectInfo }

func (i scaleInfo) Preconditions() *metav1.Preconditions { return i.in.Preconditions() }
func (i scaleInfo) UpdatedObject(ctx context.Context, old runtime.Object) (runtime.Object, error) {
	d := old.DeepCopyObject().(*appsv1.Deployment)
	x, err := i.in.UpdatedObject(ctx, toScale(d))
	if err != nil {
		return nil, err
	}
	sc := x.(*autov1.Scale)
	d.Spec.Replicas, d.ResourceVersion = &sc.Spec.Replicas, sc.ResourceVersion
	return d, nil
}
func (r *scaleREST) Update(ctx context.Context, n string, i rest.UpdatedObjectInfo, _ rest.ValidateObjectFunc, _ rest.ValidateObjectUpdateFunc, _ bool, o *metav1.UpdateOptions) (runtime.Object, bool, error) {
	x, _, err := r.s.Update(ctx, n, scaleInfo{i}, rest.ValidateAllObjectFunc, rest.ValidateAllObjectUpdateFunc, false, o)
	if err != nil {
		return nil, false, err
	}
	return toScale(x.(*appsv1.Deployment)), false, nil
}

func storages(g generic.RESTOptionsGetter) map[schema.GroupVersion]map[string]rest.Storage {
	out := map[schema.GroupVersion]map[string]rest.Storage{}
	for _, k := range kinds {
		st := strategy{scheme, names.SimpleNameGenerator, k, false}
		gr := k.gv.WithResource(k.resource).GroupResource()
		s := &registry.Store{
			NewFunc:                   func() runtime.Object { return k.obj.DeepCopyObject() },
			NewListFunc:               func() runtime.Object { return k.list.DeepCopyObject() },
			DefaultQualifiedResource:  gr,
			SingularQualifiedResource: schema.GroupResource{Group: k.gv.Group, Resource: k.singular},
			CreateStrategy:            st, UpdateStrategy: st, DeleteStrategy: st, ResetFieldsStrategy: st,
			TableConvertor: rest.NewDefaultTableConvertor(gr),
		}
		must(s.CompleteWithOptions(&generic.StoreOptions{RESTOptions: g}))
		if out[k.gv] == nil {
			out[k.gv] = map[string]rest.Storage{}
		}
		out[k.gv][k.resource] = s
		if k.status {
			ss, sst := *s, st
			sst.status = true
			ss.UpdateStrategy, ss.ResetFieldsStrategy = sst, sst
			out[k.gv][k.resource+"/status"] = &statusREST{&ss}
		}
		if k.resource == "deployments" {
			out[k.gv]["deployments/scale"] = &scaleREST{s}
		}
	}
	return out
}
