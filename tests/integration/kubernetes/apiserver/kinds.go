// The kinds that the test server keeps, and what the server itself checks and fills in.
package main

import (
	appsv1 "k8s.io/api/apps/v1"
	autov1 "k8s.io/api/autoscaling/v1"
	autov2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	netv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clientscheme "k8s.io/client-go/kubernetes/scheme"
)

var scheme = runtime.NewScheme()

type kindDef struct {
	gv         schema.GroupVersion
	resource   string
	singular   string
	namespaced bool
	obj, list  runtime.Object
	status     bool
}

var (
	core  = corev1.SchemeGroupVersion
	apps  = appsv1.SchemeGroupVersion
	auto  = autov2.SchemeGroupVersion
	net   = netv1.SchemeGroupVersion
	kinds = []kindDef{
		{core, "namespaces", "namespace", false, &corev1.Namespace{}, &corev1.NamespaceList{}, true},
		{core, "pods", "pod", true, &corev1.Pod{}, &corev1.PodList{}, true},
		{core, "services", "service", true, &corev1.Service{}, &corev1.ServiceList{}, true},
		{core, "configmaps", "configmap", true, &corev1.ConfigMap{}, &corev1.ConfigMapList{}, false},
		{core, "secrets", "secret", true, &corev1.Secret{}, &corev1.SecretList{}, false},
		{core, "events", "event", true, &corev1.Event{}, &corev1.EventList{}, false},
		{core, "resourcequotas", "resourcequota", true, &corev1.ResourceQuota{}, &corev1.ResourceQuotaList{}, true},
		{apps, "deployments", "deployment", true, &appsv1.Deployment{}, &appsv1.DeploymentList{}, true},
		{apps, "replicasets", "replicaset", true, &appsv1.ReplicaSet{}, &appsv1.ReplicaSetList{}, true},
		{auto, "horizontalpodautoscalers", "horizontalpodautoscaler", true, &autov2.HorizontalPodAutoscaler{}, &autov2.HorizontalPodAutoscalerList{}, true},
		{batchv1.SchemeGroupVersion, "jobs", "job", true, &batchv1.Job{}, &batchv1.JobList{}, true},
		{net, "ingresses", "ingress", true, &netv1.Ingress{}, &netv1.IngressList{}, true},
		{net, "networkpolicies", "networkpolicy", true, &netv1.NetworkPolicy{}, &netv1.NetworkPolicyList{}, false},
		{policyv1.SchemeGroupVersion, "poddisruptionbudgets", "poddisruptionbudget", true, &policyv1.PodDisruptionBudget{}, &policyv1.PodDisruptionBudgetList{}, true},
	}
)

func setup() {
	must(clientscheme.AddToScheme(scheme))
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	// The stored type also plays the "internal" version, so that nothing has to be converted.
	for _, k := range kinds {
		scheme.AddKnownTypes(schema.GroupVersion{Group: k.gv.Group, Version: runtime.APIVersionInternal}, k.obj, k.list)
	}
	scheme.AddKnownTypes(schema.GroupVersion{Group: "autoscaling", Version: runtime.APIVersionInternal}, &autov1.Scale{})
	must(scheme.SetVersionPriority(autov2.SchemeGroupVersion, autov1.SchemeGroupVersion))
	scheme.AddTypeDefaultingFunc(&appsv1.Deployment{}, func(o interface{}) {
		d := o.(*appsv1.Deployment)
		if d.Spec.Replicas == nil {
			one := int32(1)
			d.Spec.Replicas = &one
		}
		if d.Spec.Strategy.Type == "" {
			d.Spec.Strategy.Type = appsv1.RollingUpdateDeploymentStrategyType
		}
	})
	scheme.AddTypeDefaultingFunc(&corev1.Service{}, func(o interface{}) {
		s := o.(*corev1.Service)
		if s.Spec.Type == "" {
			s.Spec.Type = corev1.ServiceTypeClusterIP
		}
		for i := range s.Spec.Ports {
			if s.Spec.Ports[i].Protocol == "" {
				s.Spec.Ports[i].Protocol = corev1.ProtocolTCP
			}
		}
	})
}
