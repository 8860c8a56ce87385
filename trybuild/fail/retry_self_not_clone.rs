// An owned `self` is handed to each attempt like any other argument.

use resilience::retry;

struct Client;

impl Client {
    #[retry]
    fn consume(self) -> Result<(), String> {
        drop(self);
        Ok(())
    }

    #[retry]
    async fn consume_boxed(self: Box<Self>) -> Result<(), String> {
        drop(self);
        Ok(())
    }
}

fn main() {}
