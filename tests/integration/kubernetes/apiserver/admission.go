// Admission: namespaces must exist, and a ResourceQuota's object counts hold. It stands in for two
// plugins of the real server that are not in the library.
package main

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/admission"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

type gate struct{ loopback *rest.Config }

func (g *gate) Handles(op admission.Operation) bool { return op == admission.Create }

func (g *gate) Validate(ctx context.Context, a admission.Attributes, _ admission.ObjectInterfaces) error {
	if a.GetNamespace() == "" || a.GetSubresource() != "" || a.GetResource().Resource == "namespaces" {
		return nil
	}
	client, err := kubernetes.NewForConfig(g.loopback)
	if err != nil {
		return err
	}
	if _, err := client.CoreV1().Namespaces().Get(ctx, a.GetNamespace(), metav1.GetOptions{}); err != nil {
		if apierrors.IsNotFound(err) {
			return apierrors.NewNotFound(corev1.Resource("namespaces"), a.GetNamespace())
		}
		return err
	}
	quotas, err := client.CoreV1().ResourceQuotas(a.GetNamespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	key := strings.TrimSuffix("count/"+a.GetResource().Resource+"."+a.GetResource().Group, ".")
	for _, quota := range quotas.Items {
		limit, limited := quota.Spec.Hard[corev1.ResourceName(key)]
		if !limited {
			continue
		}
		used, err := g.count(ctx, a)
		if err != nil {
			return err
		}
		if int64(used) >= limit.Value() {
			return admission.NewForbidden(a, fmt.Errorf("exceeded quota: %s, requested: %s=1, used: %s=%d, limited: %s=%d",
				quota.Name, key, key, used, key, limit.Value()))
		}
	}
	return nil
}

func (g *gate) count(ctx context.Context, a admission.Attributes) (int, error) {
	client, err := metadata.NewForConfig(g.loopback)
	if err != nil {
		return 0, err
	}
	found, err := client.Resource(a.GetResource()).Namespace(a.GetNamespace()).List(ctx, metav1.ListOptions{})
	if err != nil {
		return 0, err
	}
	return len(found.Items), nil
}
