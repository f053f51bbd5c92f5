"""Google Cloud Storage and Azure Blob Storage, as much of each as obstore uses.

No package brings an emulator of either that takes these requests and refuses wrong signatures:
fake-gcs-server knows neither PUT nor multipart uploads of the XML API, and Azurite wants Node.js.
So these two verify everything that is signed, from the published rules and with code of their own.

messages           requests and answers
server             sockets and threads, and the objects
gcs                the XML API of Google
gcs_signatures     bearer tokens and V4 signed links, by the public key of a service account
azure              the Blob service
azure_signatures   SharedKey and service SAS, by the key of the account
"""
