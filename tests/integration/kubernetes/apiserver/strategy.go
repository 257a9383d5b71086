// What happens to an object before it is kept: generation, status, validation.
package main

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/storage/names"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

type strategy struct {
	runtime.ObjectTyper
	names.NameGenerator
	k      kindDef
	status bool
}

var nextIP atomic.Int32

func part(o runtime.Object, name string) reflect.Value {
	return reflect.ValueOf(o).Elem().FieldByName(name)
}
func (s strategy) NamespaceScoped() bool                                     { return s.k.namespaced }
func (s strategy) AllowCreateOnUpdate() bool                                 { return false }
func (s strategy) AllowUnconditionalUpdate() bool                            { return true }
func (s strategy) Canonicalize(obj runtime.Object)                           {}
func (s strategy) WarningsOnCreate(context.Context, runtime.Object) []string { return nil }
func (s strategy) WarningsOnUpdate(context.Context, runtime.Object, runtime.Object) []string {
	return nil
}
func (s strategy) GetResetFields() map[fieldpath.APIVersion]*fieldpath.Set {
	p := "status"
	if s.status {
		p = "spec"
	}
	return map[fieldpath.APIVersion]*fieldpath.Set{fieldpath.APIVersion(s.k.gv.String()): fieldpath.NewSet(fieldpath.MakePathOrDie(p))}
}
func (s strategy) PrepareForCreate(_ context.Context, obj runtime.Object) {
	if st := part(obj, "Status"); st.IsValid() && s.k.status {
		st.SetZero()
	}
	if svc, ok := obj.(*corev1.Service); ok && svc.Spec.ClusterIP == "" && svc.Spec.Type != corev1.ServiceTypeExternalName {
		n := nextIP.Add(1)
		svc.Spec.ClusterIP = fmt.Sprintf("10.96.%d.%d", n/250, n%250+1)
		svc.Spec.ClusterIPs = []string{svc.Spec.ClusterIP}
	}
	if m, err := meta.Accessor(obj); err == nil {
		m.SetGeneration(1)
	}
}
func (s strategy) PrepareForUpdate(_ context.Context, obj, old runtime.Object) {
	if s.status {
		part(obj, "Spec").Set(part(old, "Spec"))
		return
	}
	if s.k.status {
		part(obj, "Status").Set(part(old, "Status"))
	}
	n, _ := meta.Accessor(obj)
	o, _ := meta.Accessor(old)
	n.SetGeneration(o.GetGeneration())
	if sp := part(obj, "Spec"); sp.IsValid() && !apiequality.Semantic.DeepEqual(sp.Interface(), part(old, "Spec").Interface()) {
		n.SetGeneration(o.GetGeneration() + 1)
	}
}
func (s strategy) Validate(_ context.Context, obj runtime.Object) field.ErrorList {
	m, _ := meta.Accessor(obj)
	errs := validation.ValidateObjectMetaAccessor(m, s.k.namespaced, validation.NameIsDNSSubdomain, field.NewPath("metadata"))
	if d, ok := obj.(*appsv1.Deployment); ok {
		p := field.NewPath("spec")
		sel, err := metav1.LabelSelectorAsSelector(d.Spec.Selector)
		if err != nil || d.Spec.Selector == nil || sel.Empty() {
			errs = append(errs, field.Required(p.Child("selector"), ""))
		} else if !sel.Matches(labels.Set(d.Spec.Template.Labels)) {
			errs = append(errs, field.Invalid(p.Child("template", "metadata", "labels"), d.Spec.Template.Labels, "`selector` does not match template `labels`"))
		}
		for i, c := range d.Spec.Template.Spec.Containers {
			if c.Image == "" {
				errs = append(errs, field.Required(p.Child("template", "spec", "containers").Index(i).Child("image"), ""))
			}
		}
	}
	return errs
}
func (s strategy) ValidateUpdate(ctx context.Context, obj, old runtime.Object) field.ErrorList {
	errs := s.Validate(ctx, obj)
	if d, ok := obj.(*appsv1.Deployment); ok && !reflect.DeepEqual(d.Spec.Selector, old.(*appsv1.Deployment).Spec.Selector) {
		errs = append(errs, field.Invalid(field.NewPath("spec", "selector"), d.Spec.Selector, "field is immutable"))
	}
	return errs
}
