plugin "terraform" {
  enabled = true
  preset  = "all"
}

# The files are by concern: none is called main.tf.
rule "terraform_standard_module_structure" {
  enabled = false
}
