"""Pictures drawn from volumes: panels and patches of restored scans."""
